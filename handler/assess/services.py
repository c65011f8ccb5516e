"""The services behind ports, and their severities when the whole internet reaches them.

There is a row with a source for each service, range, protocol and ICMP message, and a severity for
traffic without a row. The sources are:

EC2.18 and EC2.19: controls of AWS Security Hub. The first allows only 80 and 443 from the internet,
the second lists high-risk ports.
https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html
CIS: AWS Foundations Benchmark 5.0, on remote administration.
scanners: Prowler, CloudSploit or ScoutSuite names the port.
IANA: its registry of ports, for remote administration, databases and control planes.
https://www.iana.org/assignments/service-names-port-numbers
A vendor or project: its documentation of a default port, for example
https://kubernetes.io/docs/reference/networking/ports-and-protocols/
amplification: the service answers a spoofed request with a larger response.
https://www.cisa.gov/news-events/alerts/2014/01/17/udp-based-amplification-attacks
An RFC: it defines the protocol. A protocol for use over the internet (HTTPS, VPNs) is low, and one
that every host may send or needs for diagnosis is info.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from handler.model.finding import Severity
from handler.model.traffic import ALL_PROTOCOLS, ICMP_PROTOCOLS, Traffic, cover
from handler.report.phrases import join_first

_NAMED_SERVICES = 4
# In a range of more ports, the known services are only a few among many ports.
_WIDE_RANGE = 64
_NAMED_IN_WIDE_RANGE = 2


class Service(NamedTuple):
    """A service, its severity when the whole internet reaches it, and the source of both."""

    traffic: Traffic
    name: str
    severity: Severity
    source: str


def _tcp(
    from_port: int, to_port: int, name: str, source: str, severity: Severity = Severity.CRITICAL
) -> Service:
    return Service(Traffic("tcp", from_port, to_port), name, severity, source)


def _udp(
    from_port: int, to_port: int, name: str, source: str, severity: Severity = Severity.HIGH
) -> Service:
    return Service(Traffic("udp", from_port, to_port), name, severity, source)


def _icmp(
    protocol: str, icmp_type: int, name: str, source: str, icmp_code: int | None = None
) -> Service:
    traffic = Traffic(protocol, icmp_type=icmp_type, icmp_code=icmp_code)
    return Service(traffic, name, Severity.INFO, source)


SERVICES = (
    _tcp(20, 20, "FTP", "EC2.19"),
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
    _udp(17, 17, "QOTD", "amplification"),
    _udp(19, 19, "CHARGEN", "amplification"),
    _udp(53, 53, "DNS", "amplification"),
    _udp(69, 69, "TFTP", "amplification"),
    _udp(111, 111, "RPC portmapper", "amplification"),
    _udp(123, 123, "NTP", "amplification"),
    _udp(137, 138, "NetBIOS", "amplification"),
    _udp(161, 161, "SNMP", "scanners, amplification", Severity.CRITICAL),
    _udp(177, 177, "XDMCP", "IANA", Severity.CRITICAL),
    _udp(389, 389, "LDAP", "amplification"),
    _udp(443, 443, "HTTPS", "RFC 9114", Severity.LOW),
    _udp(500, 500, "IPsec IKE", "RFC 7296", Severity.LOW),
    _udp(520, 520, "RIP", "amplification"),
    _udp(623, 623, "IPMI", "IANA", Severity.CRITICAL),
    _udp(1194, 1194, "OpenVPN", "IANA", Severity.LOW),
    _udp(1434, 1434, "SQL Server", "IANA"),
    _udp(1900, 1900, "SSDP", "amplification"),
    _udp(3389, 3389, "RDP", "IANA", Severity.CRITICAL),
    _udp(3702, 3702, "WS-Discovery", "amplification"),
    _udp(4500, 4500, "IPsec NAT traversal", "RFC 3948", Severity.LOW),
    _udp(5353, 5353, "mDNS", "amplification"),
    _udp(11211, 11211, "memcached", "scanners, amplification", Severity.CRITICAL),
    _udp(51820, 51820, "WireGuard", "WireGuard", Severity.LOW),
)
RANGES = (
    _tcp(30000, 32767, "Kubernetes NodePorts", "Kubernetes", Severity.HIGH),
    _udp(30000, 32767, "Kubernetes NodePorts", "Kubernetes", Severity.HIGH),
    _udp(33434, 33534, "traceroute", "IANA", Severity.INFO),
)
"""Known ranges; a part of one has its name, unless the part is a service's port."""
PROTOCOLS = (
    Service(Traffic("50"), "IPsec ESP", Severity.LOW, "RFC 4303"),
    Service(Traffic("51"), "IPsec AH", Severity.LOW, "RFC 4302"),
    _icmp("icmp", 0, "echo reply", "RFC 792"),
    _icmp("icmp", 3, "fragmentation needed", "RFC 1191", icmp_code=4),
    _icmp("icmp", 3, "destination unreachable", "RFC 792"),
    _icmp("icmp", 8, "echo request", "RFC 792"),
    _icmp("icmp", 11, "time exceeded", "RFC 792"),
    _icmp("icmpv6", 1, "destination unreachable", "RFC 4890"),
    _icmp("icmpv6", 2, "packet too big", "RFC 4890"),
    _icmp("icmpv6", 3, "time exceeded", "RFC 4890"),
    _icmp("icmpv6", 4, "parameter problem", "RFC 4890"),
    _icmp("icmpv6", 128, "echo request", "RFC 4890"),
    _icmp("icmpv6", 129, "echo reply", "RFC 4890"),
    _icmp("icmpv6", 134, "router advertisement", "RFC 4890"),
    _icmp("icmpv6", 135, "neighbor solicitation", "RFC 4890"),
    _icmp("icmpv6", 136, "neighbor advertisement", "RFC 4890"),
)
"""Traffic without ports: protocols by number, and ICMP messages by type and code."""
ALL_TRAFFIC = (Severity.CRITICAL, "EC2.19, CIS")
OTHER_TRAFFIC = (Severity.HIGH, "EC2.18")
OTHER_ICMP = (Severity.MEDIUM, "EC2.18")


# Thousands of findings share a few ports.
@lru_cache(maxsize=4096)
def services_in(traffic: Traffic) -> tuple[Service, ...]:
    """The known services in the traffic, by port, or the known range that contains it."""
    if traffic.from_port is None:
        rows = (row for row in PROTOCOLS if row.traffic.contains(traffic))
        return tuple(rows)[:1]
    known = tuple(row for row in SERVICES if row.traffic.intersection(traffic))
    if not any(row.traffic.contains(traffic) for row in known):
        ranges = tuple(row for row in RANGES if row.traffic.contains(traffic))
        return ranges or known
    return known


def is_known_range(traffic: Traffic) -> bool:
    """Whether the traffic has the name of a known range."""
    return any(row in RANGES for row in services_in(traffic))


@lru_cache(maxsize=4096)
def service_name(traffic: Traffic) -> str | None:
    """The common name of the traffic, for example SSH; None if it has none.

    The name of a wide range has its worst services and the number of its ports.
    """
    known = services_in(traffic)
    return _label(known, traffic) if known else None


@lru_cache(maxsize=4096)
def worst_service(traffic: Traffic) -> tuple[Severity, str, str]:
    """The severity when the whole internet reaches the traffic, its worst part, and the source."""
    if traffic.protocol == ALL_PROTOCOLS:
        severity, source = ALL_TRAFFIC
        return severity, "all traffic", source
    known = services_in(traffic)
    severity = min((row.severity for row in known), key=attrgetter("rank"), default=Severity.INFO)
    is_all_known = cover((row.traffic for row in known), traffic)
    if known and (is_all_known or severity.is_at_least(OTHER_TRAFFIC[0])):
        worst = [row for row in known if row.severity is severity]
        return severity, _label(worst, traffic), _sources(worst, traffic)
    if traffic.protocol in ICMP_PROTOCOLS:
        severity, source = OTHER_ICMP
        return severity, f"{traffic.text} traffic", source
    severity, source = OTHER_TRAFFIC
    return severity, f"{_label(known, traffic)} and other ports" if known else traffic.text, source


def _names(services: Sequence[Service], traffic: Traffic) -> tuple[list[str], int]:
    """The unique names of the services, and how many of them a label shows.

    By port; in a wide range remote administration (CIS) first, then by severity.
    """
    number = _NAMED_SERVICES
    if _is_wide(traffic):
        services = sorted(services, key=lambda row: ("CIS" not in row.source, row.severity.rank))
        number = _NAMED_IN_WIDE_RANGE
    return list(dict.fromkeys(row.name for row in services)), number


def _label(services: Sequence[Service], traffic: Traffic) -> str:
    names, number = _names(services, traffic)
    low, high = traffic.ports
    is_counted = _is_wide(traffic) and len(services) > 1
    return join_first(names, number) + (f" on {high - low + 1:,} ports" if is_counted else "")


def _sources(services: Sequence[Service], traffic: Traffic) -> str:
    """The unique sources of the services in the label."""
    names, number = _names(services, traffic)
    sources = (row.source.split(", ") for row in services if row.name in names[:number])
    return ", ".join(dict.fromkeys(chain.from_iterable(sources)))


def _is_wide(traffic: Traffic) -> bool:
    low, high = traffic.ports
    return traffic.from_port is not None and high - low >= _WIDE_RANGE
