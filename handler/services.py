"""The well-known services behind ports, and how bad it is when the world reaches them.

Every row names who calls the port sensitive. EC2.18 and EC2.19 are AWS Security Hub's controls
(https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html): the first allows the
world 80 and 443 only, the second lists ports of high risk. CIS is the AWS Foundations Benchmark
5.0 on remote administration. "scanners" are ports that Prowler, CloudSploit, ScoutSuite or Cloud
Custodian name. "Kubernetes" is its list of the control plane's ports
(https://kubernetes.io/docs/reference/networking/ports-and-protocols/). "amplification" are
services that answer a spoofed question with a larger answer
(https://www.cisa.gov/news-events/alerts/2014/01/17/udp-based-amplification-attacks).
"""

from dataclasses import dataclass

from handler.model import ALL, ICMP, Severity, Traffic


@dataclass(frozen=True, slots=True)
class Service:
    """A service on a run of ports, its severity when the world reaches it, and who says so."""

    protocol: str
    from_port: int
    to_port: int
    name: str
    severity: Severity
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
    _tcp(80, 80, "HTTP", "EC2.18", Severity.LOW),
    _tcp(88, 88, "Kerberos", "scanners"),
    _tcp(110, 110, "POP3", "EC2.19"),
    _tcp(135, 135, "RPC", "EC2.19"),
    _tcp(139, 139, "NetBIOS", "scanners"),
    _tcp(143, 143, "IMAP", "EC2.19"),
    _tcp(389, 389, "LDAP", "scanners"),
    _tcp(443, 443, "HTTPS", "EC2.18", Severity.LOW),
    _tcp(445, 445, "SMB", "EC2.19"),
    _tcp(464, 464, "Kerberos", "scanners"),
    _tcp(636, 636, "LDAPS", "scanners"),
    _tcp(749, 750, "Kerberos", "scanners"),
    _tcp(1433, 1434, "SQL Server", "EC2.19"),
    _tcp(1521, 1521, "Oracle", "scanners"),
    _tcp(2049, 2049, "NFS", "scanners"),
    _tcp(2375, 2376, "Docker", "scanners"),
    _tcp(2379, 2380, "etcd", "Kubernetes"),
    _tcp(2483, 2484, "Oracle", "scanners"),
    _tcp(3000, 3000, "development server", "EC2.19"),
    _tcp(3306, 3306, "MySQL", "EC2.19"),
    _tcp(3389, 3389, "RDP", "EC2.19, CIS"),
    _tcp(4333, 4333, "mSQL", "EC2.19"),
    _tcp(4505, 4506, "Salt", "scanners"),
    _tcp(5000, 5000, "development server", "EC2.19"),
    _tcp(5432, 5432, "PostgreSQL", "EC2.19"),
    _tcp(5500, 5500, "VNC listener", "EC2.19"),
    _tcp(5601, 5601, "Kibana", "EC2.19"),
    _tcp(5900, 5900, "VNC", "scanners"),
    _tcp(5985, 5986, "WinRM", "scanners"),
    _tcp(6379, 6379, "Redis", "scanners"),
    _tcp(6443, 6443, "Kubernetes API", "scanners"),
    _tcp(7000, 7001, "Cassandra", "scanners"),
    _tcp(7199, 7199, "Cassandra JMX", "scanners"),
    _tcp(8020, 8020, "Hadoop", "scanners"),
    _tcp(8080, 8080, "HTTP proxy", "EC2.19"),
    _tcp(8088, 8088, "Hadoop YARN", "EC2.19"),
    _tcp(8089, 8089, "Splunk", "scanners"),
    _tcp(8888, 8888, "development server", "EC2.19"),
    _tcp(9042, 9042, "Cassandra", "scanners"),
    _tcp(9092, 9092, "Kafka", "scanners"),
    _tcp(9160, 9160, "Cassandra", "scanners"),
    _tcp(9200, 9200, "Elasticsearch", "EC2.19"),
    _tcp(9300, 9300, "Elasticsearch", "EC2.19"),
    _tcp(10250, 10250, "kubelet", "scanners"),
    _tcp(11211, 11211, "memcached", "scanners"),
    _tcp(27017, 27019, "MongoDB", "scanners"),
    _tcp(50070, 50070, "Hadoop", "scanners"),
    _tcp(50470, 50470, "Hadoop", "scanners"),
    Service("udp", 53, 53, "DNS", Severity.HIGH, "amplification"),
    Service("udp", 69, 69, "TFTP", Severity.HIGH, "amplification"),
    Service("udp", 123, 123, "NTP", Severity.HIGH, "amplification"),
    Service("udp", 137, 139, "NetBIOS", Severity.HIGH, "amplification"),
    Service("udp", 161, 161, "SNMP", Severity.HIGH, "amplification"),
    Service("udp", 389, 389, "LDAP", Severity.HIGH, "amplification"),
    Service("udp", 1434, 1434, "SQL Server", Severity.HIGH, "amplification"),
    Service("udp", 1900, 1900, "SSDP", Severity.HIGH, "amplification"),
    Service("udp", 11211, 11211, "memcached", Severity.HIGH, "amplification"),
)
# Errors that path-MTU discovery and IPv6 (RFC 4890, section 4.3.1) need, and echo requests.
_ORDINARY_ICMP = frozenset(
    {("icmp", 8), ("icmpv6", 1), ("icmpv6", 2), ("icmpv6", 3), ("icmpv6", 4), ("icmpv6", 128)}
)
_FRAGMENTATION_NEEDED = Traffic("icmp", icmp_type=3, icmp_code=4)
_ECHO = {("icmp", 8), ("icmpv6", 128)}


def on(traffic: Traffic) -> tuple[Service, ...]:
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


def name(traffic: Traffic) -> str | None:
    """What people call the traffic, for example SSH; None when it has no name."""
    if (traffic.protocol, traffic.icmp_type) in _ECHO:
        return "echo request"
    most = 4
    names = list(dict.fromkeys(service.name for service in on(traffic)))
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more or None


def severity_for_world(traffic: Traffic) -> tuple[Severity, str]:
    """How bad it is when all of the internet reaches the traffic, and who says so."""
    if traffic.protocol == ALL:
        return Severity.CRITICAL, "EC2.19, CIS"
    if traffic.protocol in ICMP:
        return _icmp(traffic)
    known = on(traffic)
    if known and _fill(known, traffic) and all(each.severity is Severity.LOW for each in known):
        return Severity.LOW, "EC2.18"
    named = [each for each in known if each.severity is not Severity.LOW]
    worst = min(named, key=lambda service: service.severity.rank, default=None)
    # Of a port that nobody names: EC2.18 allows the world none but 80 and 443.
    return (worst.severity, worst.source) if worst else (Severity.HIGH, "EC2.18")


def _icmp(traffic: Traffic) -> tuple[Severity, str]:
    ordinary = (traffic.protocol, traffic.icmp_type) in _ORDINARY_ICMP
    if ordinary or traffic == _FRAGMENTATION_NEEDED:
        return Severity.INFO, "RFC 4890" if traffic.protocol == "icmpv6" else "RFC 1191"
    return Severity.MEDIUM, "EC2.18"


def _fill(known: tuple[Service, ...], traffic: Traffic) -> bool:
    """Whether the known services fill the ports of the traffic."""
    low, high = traffic.ports
    return sum(each.to_port - each.from_port + 1 for each in known) == high - low + 1
