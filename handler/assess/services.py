"""The services behind ports, and how severe it is when the whole internet reaches them.

Severities are data: a row for each service and each icmp message, and one for what no row names.
Every row has the source that calls the port sensitive. EC2.18 and EC2.19 are AWS Security Hub's
controls (https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html): the first
allows the world 80 and 443 only, the second lists ports of high risk. CIS is the AWS Foundations
Benchmark 5.0 on remote administration. "scanners" are ports that Prowler, CloudSploit or ScoutSuite
name. "IANA" is its registry of ports, which tells where remote administration, databases and
control planes listen (https://www.iana.org/assignments/service-names-port-numbers); a vendor's or a
project's name stands for its documentation of a default port, for example
https://kubernetes.io/docs/reference/networking/ports-and-protocols/. "amplification" are services
that answer a spoofed question with a larger answer
(https://www.cisa.gov/news-events/alerts/2014/01/17/udp-based-amplification-attacks).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter

from handler.model.finding import Severity
from handler.model.traffic import ALL_PROTOCOLS, ICMP_PROTOCOLS, Traffic
from handler.sanitize import join_first

_NAMED_SERVICES = 4


@dataclass(frozen=True, slots=True)
class Service:
    """A service on a run of ports, its severity when the world reaches it, and the source."""

    protocol: str
    from_port: int
    to_port: int
    name: str
    severity: Severity
    source: str


@dataclass(frozen=True, slots=True)
class IcmpMessage:
    """An ordinary icmp message by its type and code, and the source for that."""

    traffic: Traffic
    name: str
    source: str


def _tcp(
    from_port: int, to_port: int, name: str, source: str, severity: Severity = Severity.CRITICAL
) -> Service:
    return Service("tcp", from_port, to_port, name, severity, source)


SERVICES = (
    _tcp(20, 20, "FTP data", "EC2.19"),
    _tcp(21, 21, "FTP", "EC2.19"),
    _tcp(22, 22, "SSH", "EC2.19, CIS"),
    _tcp(23, 23, "Telnet", "EC2.19"),
    _tcp(25, 25, "SMTP", "EC2.19"),
    _tcp(53, 53, "DNS", "scanners", Severity.HIGH),
    _tcp(80, 80, "HTTP", "EC2.18", Severity.LOW),
    _tcp(88, 88, "Kerberos", "scanners"),
    _tcp(110, 110, "POP3", "EC2.19"),
    _tcp(111, 111, "RPC portmapper", "IANA"),
    _tcp(135, 135, "RPC", "EC2.19"),
    _tcp(139, 139, "NetBIOS", "scanners"),
    _tcp(143, 143, "IMAP", "EC2.19"),
    _tcp(389, 389, "LDAP", "scanners"),
    _tcp(443, 443, "HTTPS", "EC2.18", Severity.LOW),
    _tcp(445, 445, "SMB", "EC2.19"),
    _tcp(464, 464, "Kerberos", "scanners"),
    _tcp(512, 512, "rexec", "IANA"),
    _tcp(513, 513, "rlogin", "IANA"),
    _tcp(514, 514, "rsh", "IANA"),
    _tcp(636, 636, "LDAPS", "scanners"),
    _tcp(749, 750, "Kerberos", "scanners"),
    _tcp(1099, 1099, "Java RMI", "IANA"),
    _tcp(1433, 1434, "SQL Server", "EC2.19"),
    _tcp(1521, 1522, "Oracle", "scanners"),
    _tcp(2049, 2049, "NFS", "scanners"),
    _tcp(2181, 2181, "ZooKeeper", "Apache"),
    _tcp(2375, 2376, "Docker", "scanners"),
    _tcp(2377, 2377, "Docker Swarm", "IANA"),
    _tcp(2379, 2380, "etcd", "Kubernetes"),
    _tcp(2483, 2484, "Oracle", "scanners"),
    _tcp(2638, 2638, "SQL Anywhere", "IANA"),
    _tcp(3000, 3000, "development server", "EC2.19"),
    _tcp(3050, 3050, "Firebird", "IANA"),
    _tcp(3268, 3269, "LDAP global catalog", "IANA"),
    _tcp(3283, 3283, "Apple Remote Desktop", "IANA"),
    _tcp(3306, 3306, "MySQL", "EC2.19"),
    _tcp(3389, 3389, "RDP", "EC2.19, CIS"),
    _tcp(4333, 4333, "mSQL", "EC2.19"),
    _tcp(4505, 4506, "Salt", "scanners"),
    _tcp(4646, 4646, "Nomad", "HashiCorp"),
    _tcp(4848, 4848, "GlassFish console", "Eclipse"),
    _tcp(4899, 4899, "Radmin", "IANA"),
    _tcp(5000, 5000, "development server", "EC2.19"),
    _tcp(5432, 5432, "PostgreSQL", "EC2.19"),
    _tcp(5439, 5439, "Redshift", "AWS"),
    _tcp(5500, 5500, "VNC listener", "EC2.19"),
    _tcp(5601, 5601, "Kibana", "EC2.19"),
    _tcp(5631, 5632, "pcAnywhere", "IANA"),
    _tcp(5671, 5672, "AMQP", "IANA"),
    _tcp(5900, 5900, "VNC", "scanners"),
    _tcp(5901, 5910, "VNC", "TigerVNC"),
    _tcp(5984, 5984, "CouchDB", "IANA"),
    _tcp(5985, 5986, "WinRM", "IANA"),
    _tcp(6000, 6063, "X11", "IANA"),
    _tcp(6379, 6379, "Redis", "scanners"),
    _tcp(6432, 6432, "PgBouncer", "PgBouncer"),
    _tcp(6443, 6443, "Kubernetes API", "Kubernetes"),
    _tcp(7000, 7001, "Cassandra", "scanners"),
    _tcp(7077, 7077, "Spark", "Apache"),
    _tcp(7199, 7199, "Cassandra JMX", "scanners"),
    _tcp(7474, 7474, "Neo4j", "IANA"),
    _tcp(7687, 7687, "Neo4j", "IANA"),
    _tcp(8006, 8006, "Proxmox VE", "Proxmox"),
    _tcp(8020, 8020, "Hadoop", "scanners"),
    _tcp(8080, 8080, "HTTP proxy", "EC2.19"),
    _tcp(8086, 8086, "InfluxDB", "InfluxData"),
    _tcp(8088, 8088, "Hadoop YARN", "EC2.19"),
    _tcp(8089, 8089, "Splunk", "Splunk"),
    _tcp(8091, 8096, "Couchbase", "Couchbase"),
    _tcp(8111, 8111, "DynamoDB DAX", "AWS"),
    _tcp(8123, 8123, "ClickHouse", "ClickHouse"),
    _tcp(8140, 8140, "Puppet", "IANA"),
    _tcp(8161, 8161, "ActiveMQ console", "Apache"),
    _tcp(8182, 8182, "Neptune", "AWS"),
    _tcp(8200, 8200, "Vault", "HashiCorp"),
    _tcp(8300, 8300, "Consul", "HashiCorp"),
    _tcp(8500, 8501, "Consul", "HashiCorp"),
    _tcp(8529, 8529, "ArangoDB", "ArangoDB"),
    _tcp(8888, 8888, "development server", "EC2.19"),
    _tcp(8983, 8983, "Solr", "Apache"),
    _tcp(9042, 9042, "Cassandra", "scanners"),
    _tcp(9092, 9092, "Kafka", "scanners"),
    _tcp(9111, 9111, "DynamoDB DAX", "AWS"),
    _tcp(9142, 9142, "Keyspaces", "AWS"),
    _tcp(9160, 9160, "Cassandra", "scanners"),
    _tcp(9200, 9200, "Elasticsearch", "EC2.19"),
    _tcp(9300, 9300, "Elasticsearch", "EC2.19"),
    _tcp(9440, 9440, "ClickHouse", "ClickHouse"),
    _tcp(9870, 9870, "Hadoop", "Apache"),
    _tcp(9990, 9990, "WildFly console", "Red Hat"),
    _tcp(10000, 10000, "Webmin", "Webmin"),
    _tcp(10250, 10250, "kubelet", "Kubernetes"),
    _tcp(10255, 10255, "kubelet", "Kubernetes"),
    _tcp(10257, 10257, "Kubernetes controllers", "Kubernetes"),
    _tcp(10259, 10259, "Kubernetes scheduler", "Kubernetes"),
    _tcp(11211, 11211, "memcached", "scanners"),
    _tcp(15672, 15672, "RabbitMQ console", "RabbitMQ"),
    _tcp(16992, 16995, "Intel AMT", "IANA"),
    _tcp(25000, 25000, "Db2", "IBM"),
    _tcp(26257, 26257, "CockroachDB", "Cockroach Labs"),
    _tcp(26379, 26379, "Redis Sentinel", "Redis"),
    _tcp(27017, 27019, "MongoDB", "scanners"),
    _tcp(28015, 28015, "RethinkDB", "RethinkDB"),
    _tcp(30013, 30013, "SAP HANA", "SAP"),
    _tcp(30015, 30015, "SAP HANA", "SAP"),
    _tcp(33060, 33060, "MySQL", "IANA"),
    _tcp(50000, 50000, "Db2", "IBM"),
    _tcp(50070, 50070, "Hadoop", "scanners"),
    _tcp(50470, 50470, "Hadoop", "scanners"),
    _tcp(61616, 61616, "ActiveMQ", "Apache"),
    Service("udp", 17, 17, "QOTD", Severity.HIGH, "amplification"),
    Service("udp", 19, 19, "CHARGEN", Severity.HIGH, "amplification"),
    Service("udp", 53, 53, "DNS", Severity.HIGH, "amplification"),
    Service("udp", 69, 69, "TFTP", Severity.HIGH, "amplification"),
    Service("udp", 111, 111, "RPC portmapper", Severity.HIGH, "amplification"),
    Service("udp", 123, 123, "NTP", Severity.HIGH, "amplification"),
    Service("udp", 137, 138, "NetBIOS", Severity.HIGH, "amplification"),
    Service("udp", 161, 161, "SNMP", Severity.CRITICAL, "scanners, amplification"),
    Service("udp", 177, 177, "XDMCP", Severity.CRITICAL, "IANA"),
    Service("udp", 389, 389, "LDAP", Severity.HIGH, "amplification"),
    Service("udp", 520, 520, "RIP", Severity.HIGH, "amplification"),
    Service("udp", 623, 623, "IPMI", Severity.CRITICAL, "IANA"),
    Service("udp", 1434, 1434, "SQL Server", Severity.HIGH, "IANA"),
    Service("udp", 1900, 1900, "SSDP", Severity.HIGH, "amplification"),
    Service("udp", 3389, 3389, "RDP", Severity.CRITICAL, "IANA"),
    Service("udp", 3702, 3702, "WS-Discovery", Severity.HIGH, "amplification"),
    Service("udp", 5353, 5353, "mDNS", Severity.HIGH, "amplification"),
    Service("udp", 11211, 11211, "memcached", Severity.CRITICAL, "scanners, amplification"),
)
ICMP_MESSAGES = (
    IcmpMessage(Traffic("icmp", icmp_type=0), "echo reply", "RFC 792"),
    IcmpMessage(Traffic("icmp", icmp_type=3, icmp_code=4), "fragmentation needed", "RFC 1191"),
    IcmpMessage(Traffic("icmp", icmp_type=8), "echo request", "RFC 792"),
    IcmpMessage(Traffic("icmpv6", icmp_type=1), "destination unreachable", "RFC 4890"),
    IcmpMessage(Traffic("icmpv6", icmp_type=2), "packet too big", "RFC 4890"),
    IcmpMessage(Traffic("icmpv6", icmp_type=3), "time exceeded", "RFC 4890"),
    IcmpMessage(Traffic("icmpv6", icmp_type=4), "parameter problem", "RFC 4890"),
    IcmpMessage(Traffic("icmpv6", icmp_type=128), "echo request", "RFC 4890"),
    IcmpMessage(Traffic("icmpv6", icmp_type=129), "echo reply", "RFC 4890"),
)
"""The icmp messages that are info: networks need them, or any host sends them."""
ALL_TRAFFIC = (Severity.CRITICAL, "EC2.19, CIS")
OTHER_TRAFFIC = (Severity.HIGH, "EC2.18")
OTHER_ICMP = (Severity.MEDIUM, "EC2.18")


def services_in(traffic: Traffic) -> tuple[Service, ...]:
    """The known services on any of the ports, by port; none for traffic without ports."""
    low, high = traffic.from_port, traffic.to_port
    if low is None or high is None:
        return ()
    return tuple(
        service
        for service in SERVICES
        if service.protocol == traffic.protocol
        and service.from_port <= high
        and service.to_port >= low
    )


def service_name(traffic: Traffic) -> str | None:
    """The common name of the traffic, for example SSH; None when it has none."""
    if message := _icmp_message(traffic):
        return message.name
    return _join_names(services_in(traffic)) or None


def worst_service(traffic: Traffic) -> tuple[Severity, str, str]:
    """The severity when the whole internet reaches the traffic, what decides it, and the source.

    The worst service decides.
    """
    if traffic.protocol == ALL_PROTOCOLS:
        severity, source = ALL_TRAFFIC
        return severity, "all traffic", source
    if message := _icmp_message(traffic):
        return Severity.INFO, message.name, message.source
    if traffic.protocol in ICMP_PROTOCOLS:
        severity, source = OTHER_ICMP
        which = "all" if traffic.icmp_type is None else "other"
        return severity, f"{which} {traffic.protocol} traffic", source
    known = services_in(traffic)
    severity = min(
        (service.severity for service in known), key=attrgetter("rank"), default=Severity.LOW
    )
    worst = [service for service in known if service.severity is severity]
    if severity is not Severity.LOW or (known and _fill_ports(known, traffic)):
        return severity, _join_names(worst), _join_sources(worst)
    severity, source = OTHER_TRAFFIC
    number = "protocol " if traffic.protocol.isdecimal() else ""
    other = f"other {number}{traffic.protocol} traffic"
    return severity, f"{_join_names(known)} and other ports" if known else other, source


def _names(services: Iterable[Service]) -> list[str]:
    return list(dict.fromkeys(service.name for service in services))


def _join_names(services: Iterable[Service]) -> str:
    """The first few names, each once."""
    return join_first(_names(services), _NAMED_SERVICES)


def _join_sources(services: Sequence[Service]) -> str:
    """The sources of those that are named, each once."""
    named = _names(services)[:_NAMED_SERVICES]
    sources = (service.source.split(", ") for service in services if service.name in named)
    return ", ".join(dict.fromkeys(chain.from_iterable(sources)))


def _icmp_message(traffic: Traffic) -> IcmpMessage | None:
    """The icmp message, where all of the traffic is that one."""
    return next((message for message in ICMP_MESSAGES if message.traffic.contains(traffic)), None)


def _fill_ports(known: tuple[Service, ...], traffic: Traffic) -> bool:
    """Whether the known services fill the ports of the traffic."""
    low, high = traffic.ports
    ports = sum(service.to_port - service.from_port + 1 for service in known)
    return ports == high - low + 1
