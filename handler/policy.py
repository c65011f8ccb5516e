"""What counts: how severe it is that the world reaches something, and what a stack's policy says.

Severities are data: a row for each service and each icmp message, one for what no row names, and
by how many steps the reach and what is attached lower them.

Every row names who calls the port sensitive. EC2.18 and EC2.19 are AWS Security Hub's controls
(https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html): the first allows the
world 80 and 443 only, the second lists ports of high risk. CIS is the AWS Foundations Benchmark
5.0 on remote administration. "scanners" are ports that Prowler, CloudSploit or ScoutSuite name.
"IANA" is its registry of ports, which tells where remote administration, databases and control
planes listen (https://www.iana.org/assignments/service-names-port-numbers); a vendor's or a
project's name stands for what its documentation gives as the default port of one, for example
https://kubernetes.io/docs/reference/networking/ports-and-protocols/. "amplification" are services
that answer a spoofed question with a larger answer
(https://www.cisa.gov/news-events/alerts/2014/01/17/udp-based-amplification-attacks).
"""

from dataclasses import dataclass
from datetime import date

from handler.model import ALL, Accepted, Attachment, Reach, Severity, Traffic
from handler.written import PolicyError, a_list, accepted, an_object, own_range, ports, refuse

__all__ = [
    "ALL_TRAFFIC",
    "KEYS",
    "LOWERED_BY_ATTACHMENT",
    "LOWERED_BY_REACH",
    "MESSAGES",
    "OTHER_MESSAGES",
    "OTHER_TRAFFIC",
    "SERVICES",
    "WEB_ON_DATABASE",
    "Policy",
    "PolicyError",
    "Service",
]

KEYS = ("minimumSeverity", "trustedCidrs", "authorizedPorts", "exceptions")
"""What policy.json may hold; the stack config's keys of the same names."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service on a run of ports, its severity when the world reaches it, and who says so."""

    protocol: str
    from_port: int
    to_port: int
    name: str
    severity: Severity
    source: str


@dataclass(frozen=True, slots=True)
class Message:
    """An icmp message that is ordinary, by its type and code, and who says so."""

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


MESSAGES = (
    Message(Traffic("icmp", icmp_type=0), "echo reply", "RFC 792"),
    Message(Traffic("icmp", icmp_type=3, icmp_code=4), "fragmentation needed", "RFC 1191"),
    Message(Traffic("icmp", icmp_type=8), "echo request", "RFC 792"),
    Message(Traffic("icmpv6", icmp_type=1), "destination unreachable", "RFC 4890"),
    Message(Traffic("icmpv6", icmp_type=2), "packet too big", "RFC 4890"),
    Message(Traffic("icmpv6", icmp_type=3), "time exceeded", "RFC 4890"),
    Message(Traffic("icmpv6", icmp_type=4), "parameter problem", "RFC 4890"),
    Message(Traffic("icmpv6", icmp_type=128), "echo request", "RFC 4890"),
    Message(Traffic("icmpv6", icmp_type=129), "echo reply", "RFC 4890"),
)
"""The icmp messages that are info: a network needs them, or everybody sends them."""
ALL_TRAFFIC = (Severity.CRITICAL, "EC2.19, CIS")
OTHER_TRAFFIC = (Severity.HIGH, "EC2.18")
OTHER_MESSAGES = (Severity.MEDIUM, "EC2.18")
# Ports 80 and 443 are what a load balancer or a web server is for, and a database is not.
WEB_ON_DATABASE = Severity.HIGH
# By so many steps; for less than a wide part of the internet it is info, whatever it is.
LOWERED_BY_REACH = {Reach.WORLD: 0, Reach.UNKNOWN: 0, Reach.WIDE: 1}
# A group on private addresses needs one more mistake to let somebody in, a group on nothing two.
LOWERED_BY_ATTACHMENT = {
    Attachment.INTERNET_FACING: 0,
    Attachment.UNKNOWN: 0,
    Attachment.INTERNAL: 1,
    Attachment.UNATTACHED: 2,
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What counts. ``minimum_severity`` is the lowest one that the digest lists.

    ``authorized_ports`` are open on purpose, in every group.
    """

    minimum_severity: Severity = Severity.LOW
    trusted_cidrs: tuple[str, ...] = ()
    authorized_ports: tuple[Traffic, ...] = ()
    exceptions: tuple[Accepted, ...] = ()

    @classmethod
    def parse(cls, document: object, today: date | None = None) -> "Policy":
        """The policy in a JSON object with the stack config's keys; what is missing is default.

        With ``today``, an exception that ran out more than a year ago is refused: whoever writes
        a policy should clean it up, but a function that runs should not fail one day because of it.
        Raises ``PolicyError`` with one sentence that names key, value and expectation.
        """
        policy = an_object("a policy", document, KEYS)
        default = cls()
        trusted = a_list("trustedCidrs", policy.get("trustedCidrs", []), "a list of CIDRs")
        exceptions = a_list("exceptions", policy.get("exceptions", []))
        return cls(
            minimum_severity=_severity(policy.get("minimumSeverity", default.minimum_severity)),
            trusted_cidrs=tuple(own_range("trustedCidrs", each) for each in trusted),
            authorized_ports=_authorized(policy.get("authorizedPorts", [])),
            exceptions=tuple(
                accepted(f"exceptions[{index}]", each, today)
                for index, each in enumerate(exceptions)
            ),
        )

    def lists(self, severity: Severity) -> bool:
        """Whether the digest lists findings of that severity, rather than count them."""
        return severity.rank <= self.minimum_severity.rank


def _severity(value: object) -> Severity:
    if value not in list(map(str, Severity)):
        refuse("minimumSeverity", f"one of {', '.join(Severity)}", value)
    return Severity(str(value))


def _authorized(value: object) -> tuple[Traffic, ...]:
    authorized = [ports("authorizedPorts", each) for each in a_list("authorizedPorts", value)]
    if any(each.protocol == ALL for each in authorized):
        refuse("authorizedPorts", "protocols and ports rather than everything", ALL)
    return tuple(authorized)
