"""odd_cases - what devices of known makers send that the specification does not make one expect.

One message for each oddity, by what users and vendors' own pages tell of them; the values are made up.
Beside the format sluice.v1 (record_cases) they are golden cases of the other formats, too.
"""
from record_cases import (LEAF, T, field, json, listed, message, old_path, path_of, raw, raw_path, raw_update,
                          value, with_duplicates)

MS, US, S = T // 1_000_000, T // 1000, T // 1_000_000_000
COUNTERS = ("interfaces", ("interface", {"name": "Ethernet1"}), "state", "counters")


def oddities():
    yield from eos()
    yield from ios_xr()
    yield from ios_xe()
    yield from nx_os()
    yield from junos()
    yield from nokia()
    yield from sonic()
    yield from others()
    yield from everyone()


def eos():
    yield "eos-leaf-alone", "EOS: one leaf, and no prefix", message(
        (path_of(*COUNTERS, "in-octets", origin="openconfig"), value(uint_val=(1 << 53) + 1)))
    yield "eos-native-keys", "EOS: eos_native, where list keys are elements with / and :", message(
        (path_of("Sysdb", "bridging", "vxlan", "02:1c:73:00:00:01", "Ethernet3/1/1", origin="eos_native"),
         value(json_val=b'{"ip":"2001:db8::1","moves":9007199254740993}')))
    yield "eos-cli", "EOS: a command as the path's text, with blanks", message(
        (path_of("show version", origin="cli"), value(ascii_val="Arista vEOS\nUptime: 3 days\n")))
    yield "eos-cli-json", "EOS: the same in JSON", message(
        (path_of("show ip bgp summary vrf all | json", origin="cli"),
         value(json_val=b'{"vrfs":{"default":{"asn":"65001","peers":{}}}}')))
    yield "eos-ns-counter", "EOS: nanoseconds beyond 2^53 in JSON", json(
        '{"last-clear":1595491586073072123,"carrier":18446744073709551615}', path=path_of(*COUNTERS))
    yield "eos-delete-leaf", "EOS: a leaf that went, named whole", message(
        deletes=[path_of(*COUNTERS, "in-octets", origin="openconfig")])


def ios_xr():
    data = path_of(origin="Cisco-IOS-XR-infra-statsd-oper", target="")
    yield "xr-origin-alone", "IOS-XR: a prefix of nothing but the module's name as origin", message(
        (path_of("infra-statistics", "interfaces", ("interface", {"interface-name": "Gi0/0/0/0"}),
                 "latest", "generic-counters", "bytes-received"), value(uint_val=7)), prefix=data)
    yield "xr-timestamp-zero", "IOS-XR: a spurious message of the year 1970", message(
        (path_of("interfaces"), value(string_val="")), prefix=data, timestamp=0)
    yield "xr-json", "IOS-XR: a container in JSON_IETF", json(
        '{"bytes-received":"184","packets-received":"2","applique":0}', ietf=True, prefix=data,
        path=path_of("infra-statistics", ("interface", {"interface-name": "HundredGigE0/0/0/1"})))
    yield "xr-ms", "IOS-XR: milliseconds in nanoseconds", message(
        (path_of("uptime"), value(uint_val=1)), timestamp=MS * 1_000_000)


def ios_xe():
    yield "xe-subtree", "IOS-XE: a whole subtree, no prefix, origin rfc7951", json(
        '{"Cisco-IOS-XE-interfaces-oper:interface":[{"name":"GigabitEthernet1","statistics":'
        '{"in-octets":"18446744073709551615","rx-kbps":"12","in-errors":0}},{"name":"Lo0"}]}',
        ietf=True, path=path_of("interfaces", origin="rfc7951"))
    yield "xe-module-first", "IOS-XE: the module in front of the first element", message(
        (path_of("Cisco-IOS-XE-process-cpu-oper:cpu-usage", "cpu-utilization", "five-seconds"),
         value(json_ietf_val=b"7")))
    yield "xe-float-base64", "IOS-XE: a float as base64 of its four bytes", message(
        (path_of("components", ("component", {"name": "PSU0"}), "power-supply", "state", "capacity"),
         value(json_ietf_val=b'"RDsAAA=="')))
    yield "xe-float-bytes", "a float as four bytes", message(
        (path_of("components", ("component", {"name": "PSU0"}), "output-current"),
         value(bytes_val=b"\x40\x48\xf5\xc3")))
    yield "xe-key-slash", "IOS-XE: a name with slashes and a dot", json(
        '{"mtu":1500}', ietf=True, path=path_of(("interface", {"name": "Port-channel1/0/1.100"})))


def nx_os():
    yield "nx-keepalive", "NX-OS: an empty response, so that the line is not silent", b""
    yield "nx-dn", "NX-OS: a distinguished name as path, brackets and all", message(
        (path_of("System", "intf-items", "phys-items", ("PhysIf-list", {"id": "eth1/1"}), "operSt-items"),
         value(json_val=b'{"operSt":"up","lastLinkStChg":"2020-07-23T08:06:26.073+00:00"}')))
    yield "nx-many", "NX-OS: many leaves of many interfaces in one message", message(
        *((path_of(("interface", {"name": f"eth1/{n}"}), "state", leaf), value(uint_val=n))
          for n in range(1, 25) for leaf in ("in-octets", "out-octets")),
        prefix=path_of("interfaces"))


def junos():
    header = field(1, field(1, 1) + field(2, field(1, "vmx1") + field(5, 42) + field(6, MS) + field(10, 1)))
    yield "junos-header", "Junos: the header of its own on each message", message(
        (path_of(*COUNTERS, "in-octets"), value(uint_val=1)), extensions=[header])
    yield "junos-nameless", "Junos: an element without a name, with a key", message(
        (path_of("interfaces", ("", {"name": "xe-0/0/0"}), "state", "mtu"), value(uint_val=9192)))
    yield "junos-internal", "Junos: leaves of its own bookkeeping", message(
        (path_of("__timestamp__"), value(uint_val=MS)),
        (path_of("__junos_re_stream_creation_timestamp__"), value(uint_val=MS)),
        (path_of("state", "name"), value(string_val="xe-0/0/0")),
        prefix=path_of("interfaces", ("interface", {"name": "xe-0/0/0"})))
    yield "junos-ms", "Junos: milliseconds where nanoseconds are meant", message(
        (path_of("uptime"), value(int_val=3)), timestamp=MS)
    yield "junos-unasked", "Junos: data of a path that nobody asked for", message(
        (path_of("system", "alarms", ("alarm", {"id": "1"}), "state", "text"), value(string_val="PEM 1")))
    yield "junos-float", "Junos: a float that is not short in decimal", message(
        (path_of("components", ("component", {"name": "FPC0"}), "temperature"), value(float_val=31.3)))


def nokia():
    yield "sros-proto-bytes", "SR OS: bytes of a message of its own", message(
        (path_of("state", ("router", {"router-name": "Base"}), "statistics"),
         value(proto_bytes=b"\x08\x96\x01\x12\x04Base")))
    yield "sros-union", "SR OS: one leaf, two types", message(
        (path_of("state", ("port", {"port-id": "1/1/c1/1"}), "oper-speed"), value(json_val=b'"unknown"')),
        (path_of("state", ("port", {"port-id": "1/1/c1/2"}), "oper-speed"), value(json_val=b"100000")))
    yield "sros-64bit", "SR OS: 64 bits as strings, in plain JSON", json(
        '{"in-octets":"18446744073709551615","in-packets":"9007199254740993","speed":10}',
        prefix=path_of("state", ("port", {"port-id": "1/1/c1/1"})), path=path_of("statistics"))
    yield "srl-origin-in-path", "SR Linux: the origin in the path, not in the prefix", message(
        (path_of("interface", "statistics", "in-octets", origin="srl_nokia"),
         value(json_ietf_val=b'"1838"')), prefix=path_of(target="srl1"))
    yield "srl-modules", "SR Linux: modules on elements and identities", json(
        '{"srl_nokia-network-instance:type":"srl_nokia-network-instance:ip-vrf","protocols":'
        '{"srl_nokia-bgp:bgp":{"autonomous-system":65001,"neighbor":[{"peer-address":"10.0.0.1",'
        '"session-state":"established","received-messages":{"total-updates":"3"}}]}}}', ietf=True,
        path=path_of(("srl_nokia-network-instance:network-instance", {"name": "default"})))
    yield "srl-empty-leaf", "SR Linux: YANG's type empty, and empty containers", json(
        '{"disable":[null],"mac":{},"vlan":[],"comment":null}', ietf=True)
    yield "srl-config-done", "SR Linux: the end of a configuration, in an extension", message(
        (path_of("system", "name", "host-name"), value(json_ietf_val=b'"srl1"')),
        extensions=[field(1, field(1, 7) + field(2, b"commit-3"))])


def sonic():
    target = path_of(target="COUNTERS_DB")
    yield "sonic-target", "SONiC: the database's name as the prefix's target", message(
        (path_of("COUNTERS", "Ethernet0", "SAI_PORT_STAT_IF_IN_OCTETS"), value(json_ietf_val=b'"1234"')),
        prefix=target)
    yield "sonic-table", "SONiC: a whole table in one value", json(
        '{"Ethernet0":{"SAI_PORT_STAT_IF_IN_OCTETS":"18446744073709551615","SAI_PORT_STAT_IF_IN_ERRORS":"0"},'
        '"Ethernet4":{"SAI_PORT_STAT_IF_IN_OCTETS":"7"}}', ietf=True, prefix=target,
        path=path_of("COUNTERS"))
    yield "sonic-list-no-key", "SONiC: an element of a list without its key", message(
        (path_of("interfaces", "interface", "state", "oper-status"), value(json_ietf_val=b'"UP"')))
    yield "sonic-seconds", "SONiC: seconds where nanoseconds are meant", message(
        (path_of("x"), value(uint_val=1)), prefix=target, timestamp=S)


def others():
    yield "huawei-empty-update", "Huawei: an update of nothing beside a delete", raw(
        field(4, b"") + field(5, raw_path("ifm", "interfaces")))
    yield "huawei-module-first", "Huawei: the module in front of the first element, ms", message(
        (path_of("huawei-ifm:ifm", "interfaces", ("interface", {"name": "GE0/3/0"}), "mib-statistics"),
         value(json_val=b'{"receive-byte":"184467","send-byte":0}')), timestamp=MS)
    yield "ciena-decimal", "Ciena: 18 digits behind the point, modules everywhere", message(
        (path_of("ciena-opt:xcvrs", ("ciena-opt:xcvr", {"ciena-opt:name": "1"}), "ciena-opt:rx-power",
                 origin="Ciena"), value(decimal_val={"digits": -2512345678901234567, "precision": 18})))
    yield "ocnos-list", "OcNOS: an object for each entry in an array", json(
        '[{"name":"eth0","counters":{"in":1}},{"name":"eth1","counters":{"in":2}}]')
    yield "cumulus-flat", "Cumulus: everything is a string", json(
        '{"mtu":"9216","up":"true","speed":"100G","temperature":"31.5"}', path=path_of("swp1"))


def everyone():
    leaf = (path_of("v"), value(uint_val=1))
    yield "time-us", "microseconds where nanoseconds are meant", message(leaf, timestamp=US)
    yield "time-1970", "a clock that was not set: seconds since the start", message(
        leaf, timestamp=86_400_000_000_000)
    yield "time-far", "a year that no broker takes", message(leaf, timestamp=4_102_444_800_000_000_000)
    yield "same-path-twice", "of two updates with one path the later counts", message(
        (LEAF, value(uint_val=1)), (path_of("a", "w"), value(uint_val=5)), (LEAF, value(uint_val=2)))
    yield "same-path-types", "one path, a number and then a word", message(
        (LEAF, value(uint_val=1)), (LEAF, value(string_val="up")))
    yield "replace", "everything under a path goes, and part of it comes", message(
        (path_of("x", "b"), value(uint_val=2)), prefix=path_of("a"), deletes=[path_of("x")])
    yield "key-odd", "keys with everything that needs an escape", message(
        (path_of(("i", {"name": 'a/b]c\\d=e "f" ä'}), "v"), value(uint_val=1)))
    yield "key-two-equal", "a key twice in an element", raw(raw_update(
        field(3, field(1, "i") + field(2, field(1, "k") + field(2, "1")) +
              field(2, field(1, "k") + field(2, "2"))), field(3, 9)))
    yield "old-element", "the deprecated path, with keys in its text", message(
        (old_path("interfaces", "interface[name=et-0/0/1]", "state", "mtu"), value(uint_val=1500)))
    yield "json-string-number", "numbers as strings, and a number", json('{"a":"1","b":"-1.5","c":1}', ietf=True)
    yield "json-trailing", "bytes behind the value", json(b'{"a":1}\x00')
    yield "json-null-member", "null, alone and in an array", json('{"a":null,"b":[null],"c":{"d":null}}')
    yield "json-twice", "a member twice", json('{"a":1,"b":2,"a":3}')
    yield "json-top-scalars", "scalars at the top", message(
        *((path_of(str(n)), value(json_ietf_val=text)) for n, text in enumerate(
            (b'"UP"', b"true", b"1.50", b"-7", b"null", b"[null]", b"[1,2]", b"[]", b"{}"))))
    yield "coalesced", "what the device left out for want of time", with_duplicates(12, uint_val=7)
    yield "atomic-replace", "an atomic notification that deletes, too", message(
        (path_of("b"), value(uint_val=1)), prefix=path_of("a"), deletes=[path_of("c")], atomic=True)
    yield "delete-wildcard", "a delete of all interfaces", message(
        deletes=[path_of("interfaces", ("interface", {"name": "*"}), "state")])
    yield "no-elements", "a path of nothing, with a value", message((path_of(), value(string_val="x")))
    yield "module-nameless", "an element of nothing but a module, between two keys of one name", message(
        (path_of(("a", {"id": "1"}), "p:", ("b", {"id": "2"}), "v"), value(uint_val=1)), prefix=path_of("m:x"))
    yield "json-under-nameless", "JSON under an element without a name", json(
        '{"b":{"c":false}}', path=path_of("", origin="rfc7951"))
    yield "list-of-json", "JSON, numbers and a list in a leaf-list", message(
        (path_of("interfaces", "interface", "up"), value(uint_val=1)),
        (path_of("interfaces", "interface", "list"), listed(
            value(json_val=b'{"a":1}'), value(double_val=0.5), listed(value(uint_val=1)))))
    yield "key-empty-beside-none", "a key without a value, and the same path without the key", message(
        *((path_of("interfaces", ("interface", {"name": "e1", **more}), leaf), value(uint_val=1))
          for more, leaf in (({}, "a"), ({"unit": ""}, "b"), ({}, "c"))))
