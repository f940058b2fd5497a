"""The limits a user sets."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aistore_patch import PolicyError, RedirectPolicy
from aistore_patch.location import parse_url
from aistore_patch.policy import Refused, short_way_is_on

HERE = parse_url("http://proxy.example:8080/b/k")


def allows(policy: RedirectPolicy, host: str) -> bool:
    url = parse_url(f"http://{host}/b/k")
    try:
        policy.check(url, HERE, HERE)
    except Refused:
        return False
    return True


@pytest.mark.parametrize(
    ("entry", "allowed", "refused"),
    [
        (
            "target1.example",
            ["target1.example", "TARGET1.Example.", "target1.example:81"],
            ["target2.example", "xtarget1.example"],
        ),
        (" Tar-get_1.example. ", ["tar-get_1.example", "tar-get_1.example."], ["get_1.example"]),
        ("*.example", ["a.example", "a.b.example"], ["example", "badexample", "example.org"]),
        ("10.0.0.7", ["10.0.0.7", "[::ffff:10.0.0.7]"], ["10.0.0.8", "10.0.0.70", "10.0.0.7.example"]),
        ("10.0.0.0/8", ["10.255.0.1", "[::ffff:10.0.0.1]"], ["11.0.0.1", "ten.example", "[::1]"]),
        ("2001:db8::/32", ["[2001:db8::1]"], ["[2001:db9::1]", "10.0.0.1"]),
        ("[::1]", ["[::1]", "[0:0:0:0:0:0:0:1]"], ["[::2]"]),
    ],
)
def test_hosts_are_allowed_by_name_pattern_address_and_network(
    entry: str, allowed: list[str], refused: list[str]
) -> None:
    policy = RedirectPolicy(allow_hosts=[entry])
    assert [host for host in allowed if not allows(policy, host)] == []
    assert [host for host in refused if allows(policy, host)] == []


@given(address=st.ip_addresses(v=4), prefix=st.integers(0, 32), other=st.ip_addresses(v=4))
def test_networks_are_what_ipaddress_says(address: Any, prefix: int, other: Any) -> None:
    network = ipaddress.ip_network((address, prefix), strict=False)
    assert allows(RedirectPolicy(allow_hosts=[str(network)]), str(other)) == (other in network)


def test_a_host_in_one_of_several_entries_is_allowed() -> None:
    policy = RedirectPolicy(allow_hosts=["a.example", "*.b.example", "*.c.example", "10.0.0.0/8", "fd00::/8", "::1"])
    allowed = ["a.example", "x.b.example", "x.c.example", "10.0.0.1", "[fd00::1]", "[::1]"]
    assert [host for host in allowed if not allows(policy, host)] == []
    assert not allows(policy, "c.example")


def test_the_host_of_the_request_is_always_allowed_and_none_means_all() -> None:
    assert allows(RedirectPolicy(allow_hosts=[]), "proxy.example:9")
    assert not allows(RedirectPolicy(allow_hosts=[]), "t")
    assert allows(RedirectPolicy(), "t")


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "http://t",
        "t:80",
        "*",
        "*.",
        "a.*",
        "10.0.0.1/8",
        "10.0.0",
        "a b",
        "*.a b",
        "*.!a",
        "a/b",
        ".a",
        "é",
        None,
        7,
    ],
)
def test_an_entry_that_is_no_host_is_named(entry: Any) -> None:
    with pytest.raises(PolicyError, match="allow_hosts has"):
        RedirectPolicy(allow_hosts=["ok.example", entry])


@pytest.mark.parametrize(
    "mistake",
    [{"max_hops": -1}, {"max_hops": "5"}, {"max_hops": True}, {"allow_downgrade": 1}, {"allow_hosts": "a.example"}],
)
def test_a_mistake_names_the_setting(mistake: dict[str, Any]) -> None:
    with pytest.raises(PolicyError, match=next(iter(mistake))):
        RedirectPolicy(**mistake)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("MAX_HOPS", value) for value in ["", "-1", "five", "\u0663", "\u00b2", "1.0"]),
        *(("ALLOW_HOSTS", value) for value in ["", " , ", "http://t"]),
        *(("ALLOW_DOWNGRADE", value) for value in ["2", "maybe"]),
        *(("HONOURED", value) for value in ["*", "a;b"]),
        ("MAXHOPS", "1"),
        ("", "1"),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(name: str, value: str) -> None:
    variable = f"AISTORE_PATCH_{name}"
    with pytest.raises(PolicyError, match=f"{variable} is|{name.lower() or variable} has"):
        RedirectPolicy.from_environment({variable: value})


@pytest.mark.parametrize(("setting", "of_what"), [("allow_hosts", "hosts"), ("honoured", "names")])
@pytest.mark.parametrize("value", ["a.example", b"a.example", 7])
def test_what_is_no_list_is_told_from_one(setting: str, of_what: str, value: Any) -> None:
    with pytest.raises(PolicyError, match=f"{setting} is .*; a list of {of_what} is expected"):
        RedirectPolicy(**{setting: value})


def test_of_several_unknown_variables_the_first_is_named_and_what_would_be_known() -> None:
    said = "^AISTORE_PATCH_A is not a setting; known are AISTORE_PATCH_MAX_HOPS, AISTORE_PATCH_ALLOW_HOSTS, "
    with pytest.raises(PolicyError, match=said):
        RedirectPolicy.from_environment({"AISTORE_PATCH_B": "", "AISTORE_PATCH_A": ""})


@pytest.mark.parametrize(
    ("values", "is_on"), [(["1", "true", "YES", "on "], True), (["0", "False", "no", "off", "", " "], False)]
)
def test_switches_are_spelled_as_people_spell_them(values: list[str], is_on: bool) -> None:
    for value in values:
        assert RedirectPolicy.from_environment({"AISTORE_PATCH_ALLOW_DOWNGRADE": value}).allow_downgrade is is_on
        assert short_way_is_on({"AISTORE_PATCH_SHORT_WAY": value}) is is_on


def test_without_a_word_five_redirects_are_followed_to_any_host() -> None:
    assert repr(RedirectPolicy()) == "RedirectPolicy(max_hops=5, allow_hosts=None, allow_downgrade=False, honoured=())"


def test_https_to_http_is_a_downgrade_and_nothing_else_is() -> None:
    http, https = parse_url("http://t/b/k"), parse_url("https://t/b/k")
    with pytest.raises(Refused, match="https to http"):
        RedirectPolicy().check(http, https, https)
    RedirectPolicy(allow_downgrade=True).check(http, https, https)
    for current, url in ((http, https), (http, http), (https, https)):
        RedirectPolicy().check(url, current, http)


def test_the_environment_describes_a_policy() -> None:
    environ = {"AISTORE_PATCH_ALLOW_HOSTS": "a.example, 10.0.0.0/8", "AISTORE_PATCH_MAX_HOPS": " 2", "PATH": "x"}
    assert RedirectPolicy.from_environment(environ) == RedirectPolicy(
        max_hops=2, allow_hosts=["a.example", "10.0.0.0/8"]
    )
    assert RedirectPolicy.from_environment({}) == RedirectPolicy()
    assert RedirectPolicy.from_environment({"AISTORE_PATCH_ALLOW_DOWNGRADE": "yes"}).allow_downgrade


@given(
    st.dictionaries(
        st.sampled_from(["MAX_HOPS", "ALLOW_HOSTS", "ALLOW_DOWNGRADE", "MAXHOPS", ""]), st.text(max_size=12)
    )
)
def test_any_environment_is_a_policy_or_a_policy_error(settings: dict[str, str]) -> None:
    try:
        RedirectPolicy.from_environment({"AISTORE_PATCH_" + name: value for name, value in settings.items()})
    except PolicyError as error:
        assert str(error)  # noqa: PT017 - both outcomes are right


def test_a_policy_is_a_value() -> None:
    policy = RedirectPolicy(max_hops=2, allow_hosts=["a.example"])
    assert policy.allow_hosts == ("a.example",)
    assert policy == RedirectPolicy(max_hops=2, allow_hosts=("a.example",))
    assert hash(policy) == hash(RedirectPolicy(max_hops=2, allow_hosts=("a.example",)))
    assert policy != RedirectPolicy(max_hops=3)
    assert policy != "RedirectPolicy"
    assert repr(policy) == "RedirectPolicy(max_hops=2, allow_hosts=('a.example',), allow_downgrade=False, honoured=())"
    with pytest.raises(AttributeError):
        policy.max_hops = 9  # type: ignore[misc]  # the mistake is the test


def test_what_is_honoured_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = RedirectPolicy(honoured=["PutObjectTagging", "IfNoneMatch", "UncleanKey", "x-amz-object-lock-new"])
    assert policy.honoured == {"PutObjectTagging", "IfNoneMatch", "UncleanKey", "x-amz-object-lock-new"}
    monkeypatch.setenv("AISTORE_PATCH_HONOURED", " PutObjectTagging,IfNoneMatch UncleanKey x-amz-object-lock-new")
    assert RedirectPolicy.from_environment() == policy
    monkeypatch.setenv("AISTORE_PATCH_HONOURED", "")
    assert RedirectPolicy.from_environment() == RedirectPolicy()


@pytest.mark.parametrize("honoured", ["PutObjectTagging", b"x", ["*"], [""], [None], 3, ["Put Object"]])
def test_a_mistake_in_what_is_honoured_says_what_is_expected(honoured: Any) -> None:
    with pytest.raises(PolicyError, match=r"honoured .*expected"):
        RedirectPolicy(honoured=honoured)


def test_the_short_way_is_switched_by_the_environment() -> None:
    assert short_way_is_on({})
    assert short_way_is_on({"AISTORE_PATCH_SHORT_WAY": "1"})
    assert not short_way_is_on({"AISTORE_PATCH_SHORT_WAY": " 0 "})
    with pytest.raises(PolicyError, match="AISTORE_PATCH_SHORT_WAY is 'maybe'; 1 or 0 is expected"):
        short_way_is_on({"AISTORE_PATCH_SHORT_WAY": "maybe"})
    with pytest.raises(PolicyError, match="AISTORE_PATCH_SHORT_WAY"):
        RedirectPolicy.from_environment({"AISTORE_PATCH_SHORT_WAY": "maybe"})
    assert RedirectPolicy.from_environment({"AISTORE_PATCH_SHORT_WAY": "0"}) == RedirectPolicy()
