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

from collections.abc import Iterator
from typing import NamedTuple

from handler.model.finding import Severity
from handler.model.traffic import ICMP_PROTOCOLS, Traffic


class Service(NamedTuple):
    """A service, its severity when the whole internet reaches it, and the source of both."""

    traffic: Traffic
    name: str
    severity: Severity
    source: str


def _rows(table: str) -> Iterator[Service]:
    """The services of a table: in each line severity, traffic, name and source.

    Traffic is a protocol with ports (tcp/20, 21) or with a type and perhaps a code (icmp/3/4).
    """
    for line in table.strip().splitlines():
        severity, traffic, name, source = map(str.strip, line.split("|"))
        protocol, _, numbers = traffic.partition("/")
        for text in numbers.split(", "):
            yield Service(_traffic(protocol, text), name, Severity(severity), source)


def _traffic(protocol: str, numbers: str) -> Traffic:
    if not numbers:
        return Traffic(protocol)
    if protocol in ICMP_PROTOCOLS:
        icmp_type, _, code = numbers.partition("/")
        return Traffic(protocol, icmp_type=int(icmp_type), icmp_code=int(code) if code else None)
    low, _, high = numbers.partition("-")
    return Traffic(protocol, int(low), int(high or low))


_SERVICES = """
critical | tcp/20, 21                | FTP                     | EC2.19
critical | tcp/22                    | SSH                     | EC2.19, CIS
critical | tcp/23                    | Telnet                  | EC2.19
critical | tcp/25                    | SMTP                    | EC2.19
high     | tcp/53                    | DNS                     | scanners
low      | tcp/80                    | HTTP                    | EC2.18
critical | tcp/88, 464, 749-750      | Kerberos                | scanners
critical | tcp/110                   | POP3                    | EC2.19
critical | tcp/111                   | RPC portmapper          | IANA
critical | tcp/135                   | RPC                     | EC2.19
critical | tcp/139                   | NetBIOS                 | scanners
critical | tcp/143                   | IMAP                    | EC2.19
critical | tcp/389                   | LDAP                    | scanners
low      | tcp/443                   | HTTPS                   | EC2.18
critical | tcp/445                   | SMB                     | EC2.19
critical | tcp/512                   | rexec                   | IANA
critical | tcp/513                   | rlogin                  | IANA
critical | tcp/514                   | rsh                     | IANA
critical | tcp/636                   | LDAPS                   | scanners
critical | tcp/1099                  | Java RMI                | IANA
critical | tcp/1433-1434             | SQL Server              | EC2.19
critical | tcp/1521-1522, 2483-2484  | Oracle                  | scanners
critical | tcp/2049                  | NFS                     | scanners
critical | tcp/2181                  | ZooKeeper               | Apache
critical | tcp/2375-2376             | Docker                  | scanners
critical | tcp/2377                  | Docker Swarm            | IANA
critical | tcp/2379-2380             | etcd                    | Kubernetes
critical | tcp/2638                  | SQL Anywhere            | IANA
critical | tcp/3000, 5000, 8888      | development server      | EC2.19
critical | tcp/3050                  | Firebird                | IANA
critical | tcp/3268-3269             | LDAP global catalog     | IANA
critical | tcp/3283                  | Apple Remote Desktop    | IANA
critical | tcp/3306                  | MySQL                   | EC2.19
critical | tcp/3389                  | RDP                     | EC2.19, CIS
critical | tcp/4333                  | mSQL                    | EC2.19
critical | tcp/4505-4506             | Salt                    | scanners
critical | tcp/4646                  | Nomad                   | HashiCorp
critical | tcp/4848                  | GlassFish console       | Eclipse
critical | tcp/4899                  | Radmin                  | IANA
critical | tcp/5432                  | PostgreSQL              | EC2.19
critical | tcp/5439                  | Redshift                | AWS
critical | tcp/5500                  | VNC listener            | EC2.19
critical | tcp/5601                  | Kibana                  | EC2.19
critical | tcp/5631-5632             | pcAnywhere              | IANA
critical | tcp/5671-5672             | AMQP                    | IANA
critical | tcp/5900                  | VNC                     | scanners
critical | tcp/5901-5910             | VNC                     | TigerVNC
critical | tcp/5984                  | CouchDB                 | IANA
critical | tcp/5985-5986             | WinRM                   | IANA
critical | tcp/6000-6063             | X11                     | IANA
critical | tcp/6379                  | Redis                   | scanners
critical | tcp/6432                  | PgBouncer               | PgBouncer
critical | tcp/6443                  | Kubernetes API          | Kubernetes
critical | tcp/7000-7001, 9042, 9160 | Cassandra               | scanners
critical | tcp/7077                  | Spark                   | Apache
critical | tcp/7199                  | Cassandra JMX           | scanners
critical | tcp/7474, 7687            | Neo4j                   | IANA
critical | tcp/8006                  | Proxmox VE              | Proxmox
critical | tcp/8020, 50070, 50470    | Hadoop                  | scanners
critical | tcp/8080                  | HTTP proxy              | EC2.19
critical | tcp/8086                  | InfluxDB                | InfluxData
critical | tcp/8088                  | Hadoop YARN             | EC2.19
critical | tcp/8089                  | Splunk                  | Splunk
critical | tcp/8091-8096             | Couchbase               | Couchbase
critical | tcp/8111, 9111            | DynamoDB DAX            | AWS
critical | tcp/8123, 9440            | ClickHouse              | ClickHouse
critical | tcp/8140                  | Puppet                  | IANA
critical | tcp/8161                  | ActiveMQ console        | Apache
critical | tcp/8182                  | Neptune                 | AWS
critical | tcp/8200                  | Vault                   | HashiCorp
critical | tcp/8300, 8500-8501       | Consul                  | HashiCorp
critical | tcp/8529                  | ArangoDB                | ArangoDB
critical | tcp/8983                  | Solr                    | Apache
critical | tcp/9092                  | Kafka                   | scanners
critical | tcp/9142                  | Keyspaces               | AWS
critical | tcp/9200, 9300            | Elasticsearch           | EC2.19
critical | tcp/9870                  | Hadoop                  | Apache
critical | tcp/9990                  | WildFly console         | Red Hat
critical | tcp/10000                 | Webmin                  | Webmin
critical | tcp/10250, 10255          | kubelet                 | Kubernetes
critical | tcp/10257                 | Kubernetes controllers  | Kubernetes
critical | tcp/10259                 | Kubernetes scheduler    | Kubernetes
critical | tcp/11211                 | memcached               | scanners
critical | tcp/15672                 | RabbitMQ console        | RabbitMQ
critical | tcp/16992-16995           | Intel AMT               | IANA
critical | tcp/25000, 50000          | Db2                     | IBM
critical | tcp/26257                 | CockroachDB             | Cockroach Labs
critical | tcp/26379                 | Redis Sentinel          | Redis
critical | tcp/27017-27019           | MongoDB                 | scanners
critical | tcp/28015                 | RethinkDB               | RethinkDB
critical | tcp/30013, 30015          | SAP HANA                | SAP
critical | tcp/33060                 | MySQL                   | IANA
critical | tcp/61616                 | ActiveMQ                | Apache
high     | udp/17                    | QOTD                    | amplification
high     | udp/19                    | CHARGEN                 | amplification
high     | udp/53                    | DNS                     | amplification
high     | udp/69                    | TFTP                    | amplification
high     | udp/111                   | RPC portmapper          | amplification
high     | udp/123                   | NTP                     | amplification
high     | udp/137-138               | NetBIOS                 | amplification
critical | udp/161                   | SNMP                    | scanners, amplification
critical | udp/177                   | XDMCP                   | IANA
high     | udp/389                   | LDAP                    | amplification
low      | udp/443                   | HTTPS                   | RFC 9114
low      | udp/500                   | IPsec IKE               | RFC 7296
high     | udp/520                   | RIP                     | amplification
critical | udp/623                   | IPMI                    | IANA
low      | udp/1194                  | OpenVPN                 | IANA
high     | udp/1434                  | SQL Server              | IANA
high     | udp/1900                  | SSDP                    | amplification
critical | udp/3389                  | RDP                     | IANA
high     | udp/3702                  | WS-Discovery            | amplification
low      | udp/4500                  | IPsec NAT traversal     | RFC 3948
high     | udp/5353                  | mDNS                    | amplification
critical | udp/11211                 | memcached               | scanners, amplification
low      | udp/51820                 | WireGuard               | WireGuard
"""
_RANGES = """
high     | tcp/30000-32767           | Kubernetes NodePorts    | Kubernetes
high     | udp/30000-32767           | Kubernetes NodePorts    | Kubernetes
info     | udp/33434-33534           | traceroute              | IANA
"""
_PROTOCOLS = """
high     | 4                         | IP in IP                | EC2.18, RFC 2003
high     | 41                        | IPv6 in IPv4            | EC2.18, RFC 4213
high     | 47                        | GRE                     | EC2.18, RFC 2784
high     | 132                       | SCTP                    | EC2.18, RFC 9260
low      | 50                        | IPsec ESP               | RFC 4303
low      | 51                        | IPsec AH                | RFC 4302
info     | icmp/0                    | echo reply              | RFC 792
info     | icmp/3/4                  | fragmentation needed    | RFC 1191
info     | icmp/3                    | destination unreachable | RFC 792
info     | icmp/8                    | echo request            | RFC 792
info     | icmp/11                   | time exceeded           | RFC 792
info     | icmpv6/1                  | destination unreachable | RFC 4890
info     | icmpv6/2                  | packet too big          | RFC 4890
info     | icmpv6/3                  | time exceeded           | RFC 4890
info     | icmpv6/4                  | parameter problem       | RFC 4890
info     | icmpv6/128                | echo request            | RFC 4890
info     | icmpv6/129                | echo reply              | RFC 4890
info     | icmpv6/134                | router advertisement    | RFC 4890
info     | icmpv6/135                | neighbor solicitation   | RFC 4890
info     | icmpv6/136                | neighbor advertisement  | RFC 4890
"""
SERVICES = tuple(sorted(_rows(_SERVICES)))
"""By protocol and port; no port has two services."""
RANGES = tuple(_rows(_RANGES))
"""Known ranges; a part of one has its name, unless the part is a service's port."""
PROTOCOLS = tuple(_rows(_PROTOCOLS))
"""Traffic without ports: protocols by number, and ICMP messages by type and code."""
ALL_TRAFFIC = (Severity.CRITICAL, "EC2.19, CIS")
OTHER_TRAFFIC = (Severity.HIGH, "EC2.18")
OTHER_ICMP = (Severity.MEDIUM, "EC2.18")
