"""Which URL a Location means: pure, over any bytes that a server may send."""

from __future__ import annotations

from urllib.parse import quote_from_bytes, unquote_to_bytes, urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from aistore_patch import guard
from aistore_patch.location import (
    InvalidLocation,
    OtherObject,
    Url,
    has_pid,
    parse_url,
    redacted,
    resolve,
    split_netloc,
)

KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1, max_size=20)
BYTES = st.binary(max_size=80)


def asked_for(key: str, query: str = "") -> Url:
    path = "/s3/capb/" + quote_from_bytes(key.encode(), safe="/~")
    return parse_url(f"http://127.0.0.1:8080{path}{'?' + query if query else ''}")


def on_the_wire(header: bytes) -> str:
    """As Python's HTTP client hands a header over."""
    return header.decode("latin-1")


def damaged(key: str, query: bytes) -> bytes:
    """What AIStore makes of a key: `?` and non-ASCII bytes bare, what follows a `?` parsed and written again."""
    path, _, rest = quote_from_bytes(key.encode(), safe="/~?$&+,:;=@").partition("?")
    pairs = [pair if "=" in pair else pair + "=" for pair in rest.split("&") if pair]
    raw = b"".join(
        bytes([octet]) if octet >= 0x80 else quote_from_bytes(bytes([octet]), safe="/~$&+,:;=@%").encode()
        for octet in unquote_keeping_ascii(path)
    )
    return b"http://127.0.0.1:8082/s3/capb/" + raw + b"?" + b"&".join([*(p.encode() for p in pairs), query])


def unquote_keeping_ascii(path: str) -> bytes:
    """Bytes from 0x80 as they are, everything else as it is spelled."""
    out = b""
    for octet in unquote_to_bytes(path):
        out += bytes([octet]) if octet >= 0x80 else quote_from_bytes(bytes([octet]), safe="/~$&+,:;=@").encode()
    return out


@given(key=KEYS)
@example(key="x?y")
@example(key="é€")
@example(key="a%41?b%")
def test_whatever_a_gateway_does_to_a_key_the_object_stays_the_one_asked_for(key: str) -> None:
    original = asked_for(key)
    for header in (
        damaged(key, b"pid=p&utm=u"),
        b"http://127.0.0.1:8082/s3/capb/" + key.encode() + b"?pid=p&utm=u",
        b"http://127.0.0.1:8082" + original.path.encode() + b"?pid=p&utm=u",
        b"http://127.0.0.1:8082" + original.path.replace("%", "%25").encode() + b"?pid=p&utm=u",
    ):
        try:
            url = resolve(on_the_wire(header), original, original)
        except (OtherObject, InvalidLocation):  # refused is right as well; another object is not
            continue
        assert unquote_to_bytes(url.path) == unquote_to_bytes(original.path)
        assert url.query is not None
        assert url.query.endswith("pid=p&utm=u")
        assert url.netloc == "127.0.0.1:8082"


@given(key=KEYS)
def test_a_key_without_a_question_mark_is_never_refused(key: str) -> None:
    assume("?" not in key and all(c >= " " and c != "\x7f" for c in key))
    original = asked_for(key)
    url = resolve(on_the_wire(damaged(key, b"pid=p")), original, original)
    assert unquote_to_bytes(url.path) == unquote_to_bytes(original.path)


@given(header=BYTES)
def test_any_bytes_are_a_url_of_the_same_object_or_refused(header: bytes) -> None:
    original = asked_for("k", "uploadId=1")
    try:
        url = resolve(on_the_wire(header), original, original)
    except (InvalidLocation, OtherObject):
        return
    assert unquote_to_bytes(url.path) == b"/s3/capb/k"
    # Those who read the URL after us read it as we do.
    parts = urlsplit(str(url))
    assert (parts.scheme, parts.netloc, parts.path, parts.query) == (url.scheme, url.netloc, url.path, url.query or "")
    assert str(url).isascii()
    assert str(url).isprintable()
    assert " " not in str(url)
    assert "#" not in str(url)


@given(query=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#"), max_size=40))
def test_a_query_is_kept_to_the_letter(query: str) -> None:
    original = asked_for("k")
    assume(not any(map(guard.has_meaning, parse_url(f"http://t/k?{query.replace('+', ' ')}").parameters)))
    assert resolve(f"http://t:81/s3/capb/k?{query}", original, original).query == query


@pytest.mark.parametrize(
    ("reference", "expected"),
    [  # RFC 3986 section 5.2, as far as it leads to the same path
        ("k", "http://127.0.0.1:8080/s3/capb/k"),
        ("./k", "http://127.0.0.1:8080/s3/capb/k"),
        ("../capb/k", "http://127.0.0.1:8080/s3/capb/k"),
        ("../../../s3/./capb/x/../k?a", "http://127.0.0.1:8080/s3/capb/k?a"),
        ("/s3/capb/k", "http://127.0.0.1:8080/s3/capb/k"),
        ("//t/s3/capb/k?a#f", "http://t/s3/capb/k?a"),
        ("?a=b", "http://127.0.0.1:8080/s3/capb/k?a=b"),
        ("#f", "http://127.0.0.1:8080/s3/capb/k?q"),
        ("HTTPS://T.Example:443/s3/capb/k", "https://t.example/s3/capb/k"),
        ("http://t:0080/s3/capb/k", "http://t/s3/capb/k"),
        ("http://[::1]:81/s3/capb/k", "http://[::1]:81/s3/capb/k"),
        ("http://[ABCD:EF01::a]/s3/capb/k", "http://[abcd:ef01::a]/s3/capb/k"),
        ("http://t:/s3/capb/k?", "http://t/s3/capb/k?"),
        ("https://t:80/s3/capb/k", "https://t:80/s3/capb/k"),
        ("http://t:1/s3/capb/k", "http://t:1/s3/capb/k"),
        ("http://t:65535/s3/capb/k", "http://t:65535/s3/capb/k"),
        ("\t http://t/s3/capb/k \t", "http://t/s3/capb/k"),
        ("?a=b:c/d", "http://127.0.0.1:8080/s3/capb/k?a=b:c/d"),
        ("?a=\xe9 b", "http://127.0.0.1:8080/s3/capb/k?a=%E9%20b"),
        ("#f:g", "http://127.0.0.1:8080/s3/capb/k?q"),
    ],
)
def test_references_are_resolved(reference: str, expected: str) -> None:
    original = asked_for("k", "q")
    assert str(resolve(reference, original, original)) == expected


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("", "empty"),
        (" \t", "empty"),
        *((f"/s3/capb/k?{control}", "control characters") for control in "\0\x1f\x7f"),
        ("http:x:y", "no host"),
        ("ftp:x", "neither http nor https"),
        ("ftp://t/s3/capb/k", "neither http nor https"),
        ("\xe9://t/s3/capb/k", "neither http nor https"),
        ("///s3/capb/k", "missing or malformed"),
        ("http://[]/s3/capb/k", "missing or malformed"),
        ("http://:80/s3/capb/k", "missing or malformed"),
        ("http://t:000081/s3/capb/k", "missing or malformed"),
        ("http://u:p@t/s3/capb/k", "a user name or a password"),
        ("http://t:0/s3/capb/k", "between 1 and 65535"),
        ("http://t:65536/s3/capb/k", "between 1 and 65535"),
        ("http://[1::2::3]/s3/capb/k", "not an IPv6 address"),
    ],
)
def test_what_is_no_url_is_told_from_what_is_another_object(location: str, why: str) -> None:
    original = asked_for("k")
    with pytest.raises(InvalidLocation, match=why):
        resolve(location, original, original)


@pytest.mark.parametrize("location", ["http://t", "//t?a", "//t#a", ":k", ".", "x/..", "\ud800"])
def test_what_is_a_url_of_something_else_is_another_object(location: str) -> None:
    original = asked_for("k")
    with pytest.raises(OtherObject):
        resolve(location, original, original)


def test_the_longest_location_has_sixteen_kibibytes() -> None:
    original, longest = asked_for("k"), "http://t/s3/capb/k?".ljust(16384, "x")
    assert resolve(longest, original, original).host == "t"
    with pytest.raises(InvalidLocation, match="16385 bytes long, more than 16384"):
        resolve(longest + "x", original, original)


NAME = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])


@pytest.mark.parametrize(
    ("host", "is_one"),
    [
        *((host, True) for host in ["255.249.199.99", "250.200.100.9", "0.0.0.0", "1a", "0a", "a1", "0xg", "1.2.3.t"]),
        *((host, True) for host in ["t.example.", "a_b-c.example", NAME]),
        *((host, False) for host in ["256.1.1.1", "1.260.3.4", "1.2.3", "1.2.34", "1.2.3.4.5", "01.2.3.4", "1.2.3.4."]),
        *((host, False) for host in ["127.1", "2130706433", "0x7f000001", "0X7F", "t.0xaF", "0x", "t.0"]),
        *((host, False) for host in [".", "a..b", "a..", ".a", "a" * 64, f"{NAME}."]),
    ],
)
def test_a_host_is_a_name_or_an_address_as_everybody_writes_it(host: str, is_one: bool) -> None:
    original = asked_for("k")
    if is_one:
        assert resolve(f"http://{host}:81/s3/capb/k", original, original).netloc == f"{host}:81"
    else:
        with pytest.raises(InvalidLocation, match="its host"):
            resolve(f"http://{host}:81/s3/capb/k", original, original)


ALLOWED = "AZaz09/._~!$&'()*+,;=:@-%c3%A9%20%5B%6d%7E%8f"  # RFC 3986 section 3.3


@pytest.mark.parametrize(
    ("key", "named", "expected"),
    [
        (unquote_to_bytes(ALLOWED), ALLOWED, ALLOWED),
        (b"a:b", "a:b", "a:b"),
        (b'a"b', 'a"b', "a%22b"),
        (b"%zz", "%zz", "%25zz"),
        (b"a b", "a b", "a%20b"),
        ("\u20ac".encode(), "\u20ac", "%E2%82%AC"),  # of a stub, not of a wire
        (b"a%41", "a%41", "a%2541"),
        (b"a%41", "a%41?p=\xe9", "a%2541?p=%E9"),
        (b"a%41", "a%41?", "a%2541?"),
        (b"x#y", "x#y?p", "x%23y?p"),
        (b"x#y", "x#y", "x%23y"),
        (b"x?y?z", "x?y?z=&p", "x%3Fy%3Fz?y?z=&p"),
        (b"x?y", "x?y=&p", "x%3Fy?y=&p"),
        (b"a b", "a%2520b?p", "a%20b?p"),
        (b"a%20b", "a b?p", "a%2520b?p"),
        (b"x?=1", "x?=1&p", "x%3F=1?=1&p"),
        (b"x?=", "x?p&=", "x%3F=?p&="),
    ],
)
def test_a_path_is_kept_to_the_letter_if_it_is_one_and_repaired_if_not(key: bytes, named: str, expected: str) -> None:
    path = "/s3/capb/" + quote_from_bytes(key, safe="/~=")
    original = parse_url(f"http://p{path}")
    for origin, where in (("http://t", "http://t"), ("", "http://p")):
        assert str(resolve(f"{origin}/s3/capb/{named}", original, original)) == f"{where}/s3/capb/{expected}"


@pytest.mark.parametrize(("key", "named"), [("x?y", "x"), ("x?y", "z?y"), ("a%41", "a%41b"), ("k", "k/"), ("k", "K")])
def test_what_is_not_certainly_the_same_key_is_another(key: str, named: str) -> None:
    original = asked_for(key)
    with pytest.raises(OtherObject, match="not the path that was asked for"):
        resolve(f"http://t/s3/capb/{named}", original, original)


@pytest.mark.parametrize(("reference", "path"), [(".", "/s3/b/"), ("x/..", "/s3/b/"), ("../b", "/s3/b")])
def test_a_reference_to_the_folder_itself_ends_in_a_slash(reference: str, path: str) -> None:
    original = parse_url("http://p/s3/b/")
    assert resolve(reference, original, original, any_slash=True).path == path


@pytest.mark.parametrize(
    ("url", "netloc"),
    [("http://h:80/k", "h"), ("https://h:443/k", "h"), ("https://h:80/k", "h:80"), ("http://a@b@h:81/k", "h:81")],
)
def test_the_port_is_named_where_it_is_not_the_usual_one(url: str, netloc: str) -> None:
    assert parse_url(url).netloc == netloc
    assert parse_url(url).path == "/k"


@pytest.mark.parametrize(
    ("netloc", "parts"), [("h", ("h", "")), ("h:", ("h", "")), ("h:81", ("h", "81")), ("[::1]:81", ("::1", "81"))]
)
def test_a_netloc_is_a_host_and_a_port(netloc: str, parts: tuple[str, str]) -> None:
    assert split_netloc(netloc) == parts


@pytest.mark.parametrize("host", ["127.1", "2130706433", "[::1]", "UPPER.example", "user:pw@host"])
def test_the_host_of_the_callers_own_url_is_the_callers(host: str) -> None:
    assert parse_url(f"http://{host}:8080/k").netloc == f"{host.rpartition('@')[2].lower()}:8080"


def test_a_bucket_may_move_from_the_host_into_the_path() -> None:
    original = parse_url("http://capb.proxy:8080/dir/k")
    assert str(resolve("http://t/capb/dir/k?p", original, original, "capb", "")) == "http://t/capb/dir/k?p"
    with pytest.raises(OtherObject):
        resolve("http://t/capb/dir/k?p", original, original, base="")
    below_s3 = parse_url("http://capb.proxy:8080/s3/dir/k")
    assert resolve("http://t/s3/capb/dir/k?p", below_s3, below_s3, "capb", "/s3").path == "/s3/capb/dir/k"
    with pytest.raises(OtherObject):
        resolve("http://t/s3/dir/k?p", below_s3, below_s3, "capb", "/s3")
    itself = parse_url("http://capb.proxy:8080/s3")
    assert resolve("http://t/s3/capb?p", itself, itself, "capb", "/s3").path == "/s3/capb"
    with pytest.raises(OtherObject):
        resolve("http://t/capb/s3?p", itself, itself, "capb", "/s3")


def test_a_bucket_stands_in_the_host_or_in_the_path() -> None:
    original = parse_url("http://capb.proxy:8080/dir/k")
    for same in ("/dir/k?p", "http://capb.proxy:81/dir/k?p"):
        assert resolve(same, original, original, "capb", "").path == "/dir/k"
    for other in ("http://t/dir/k?p", "http://t/s3/dir/k?pid=p", "/capb/dir/k?p", "/s3/dir/k?pid=p"):
        with pytest.raises(OtherObject):
            resolve(other, original, original, "capb", "")


@pytest.mark.parametrize(("bucket", "host"), [("t", "t.ais.example"), ("127", "127.0.0.1")])
def test_a_host_that_begins_with_the_name_of_the_bucket_by_chance_does_not_name_it(bucket: str, host: str) -> None:
    original = parse_url(f"http://{bucket}.proxy:8080/dir/k")
    assert resolve(f"http://{host}/{bucket}/dir/k", original, original, bucket, "").path == f"/{bucket}/dir/k"
    with pytest.raises(OtherObject):
        resolve(f"http://{host}/dir/k", original, original, bucket, "")


def test_the_path_of_the_api_may_come_before_that_of_an_endpoint_at_the_root() -> None:
    original = parse_url("http://proxy:8080/capb/x%3Fy")
    url = resolve("http://t/s3/capb/x?y=&pid=p", original, original, base="")
    assert str(url) == "http://t/s3/capb/x%3Fy?y=&pid=p"
    assert resolve("/s3/capb/x?y=&pid=p", original, original, base="").path == "/s3/capb/x%3Fy"


@pytest.mark.parametrize(
    ("base", "location"),
    [
        ("", "/v1/capb/k?pid=p"),
        ("", "/s3/capb/k"),  # to a server that is not AIStore, an object of the bucket s3
        ("", "/s3/capb/k?pident=p"),
        ("/s3", "/s3/s3/capb/k?pid=p"),
        ("/prefix", "/s3/prefix/capb/k?pid=p"),
    ],
)
def test_the_path_of_the_api_comes_before_nothing_else(base: str, location: str) -> None:
    original = parse_url(f"http://proxy:8080{base}/capb/k")
    with pytest.raises(OtherObject):
        resolve(f"http://t{location}", original, original, base=base)


@pytest.mark.parametrize(
    "leak", ["acl", "uploads", "uploadId=1", "pid", "what", "X-Amz-Date=1", "response-expires", "q"]
)
def test_what_a_key_leaks_into_the_query_must_not_mean_anything_there(leak: str) -> None:
    original = asked_for(f"x?{leak}", "q=1")
    with pytest.raises(OtherObject, match="parameters"):
        resolve(f"http://t/s3/capb/x?{leak}&q=1&pid=p", original, original)


def test_what_a_key_leaks_may_be_what_means_nothing() -> None:
    original = asked_for("x?=1", "=2")
    assert resolve("/s3/capb/x?=1&=2&pid=p", original, original).query == "=1&=2&pid=p"
    original = asked_for("x?y", "q=1")
    assert resolve("/s3/capb/x?y=&q=1&pid=p", original, original).query == "y=&q=1&pid=p"


@given(text=st.text(max_size=300), secret=st.text("abcdef0123456789", min_size=12, max_size=12))
def test_what_is_shown_holds_no_secret(text: str, secret: str) -> None:
    assume(secret not in text)
    shown = redacted(f"http://user:{secret}@host/{text}?token={secret}&{text}#{secret}")
    assert secret not in shown
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) < 1500


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:pw@h/b/k?sig#f", "http://...@h/b/k?..."),
        (" http://h/k#fragment", "http://h/k"),
        ("http://h/k ", "http://h/k"),
        ("http://@h/k", "http://...@h/k"),
        ("user:pw@h/k", "...@h/k"),
        ("//user@h/k", "//...@h/k"),
        ("http://h/a@b", "http://h/a@b"),
        ("http://h?user@h", "http://h?..."),
        ("http://h#user@h", "http://h"),
        ("http://h/k?", "http://h/k"),
        ("http://h/\xe9'", "http://h/\\xe9'"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 200 + "..."),
    ],
)
def test_a_url_is_shown_without_what_it_may_hide(url: str, shown: str) -> None:
    assert redacted(url) == shown


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("/", ""),
        ("/s3/b", "/s3/b/"),
        ("/s3/b/", "/s3/b"),
        ("/s3", "/s3/"),
        ("/s3/", "/s3"),
        ("/s3/b%20c", "/s3/b c/"),
    ],
)
def test_a_bucket_is_the_same_with_a_slash_at_its_end_and_without(asked: str, named: str) -> None:
    original = parse_url(f"http://p{asked}?list-type=2")
    assert resolve(f"//t{named}?list-type=2", original, original, any_slash=True).query == "list-type=2"
    if named:
        with pytest.raises(OtherObject):
            resolve(f"{named}?list-type=2", original, original)


@pytest.mark.parametrize("named", ["/s3/b/k/", "/s3/b//k", "/s3/b", "/s3/c/", "/s3/b//"])
def test_an_object_or_another_bucket_is_not(named: str) -> None:
    for asked in ("/s3/b/k",) if named != "/s3/c/" and named != "/s3/b//" else ("/s3/b", "/s3/b/k"):
        original = parse_url(f"http://p{asked}")
        with pytest.raises(OtherObject):
            resolve(named, original, original, any_slash=True)
    service = parse_url("http://p/")
    with pytest.raises(OtherObject):
        resolve(named, service, service, any_slash=True)


@pytest.mark.parametrize(
    "location", ["?pid=1", "/x?y?pid=a&utm=1", "http://t/x?y=&pid=a&utm=b", "/k?PID=1", "/k?%70id", "/x?pid=1?y"]
)
def test_a_gateway_is_known_by_its_pid(location: str) -> None:
    assert has_pid(location)


@pytest.mark.parametrize("location", ["", "/pid=1", "/k?spid=1", "/k?a=pid", "/k\udcff?\udcff"])
def test_what_has_no_pid_is_of_another_server(location: str) -> None:
    assert not has_pid(location)


@pytest.mark.parametrize(
    ("query", "is_presigned"),
    [
        ("X-Amz-Signature=a", True),
        ("x-amz-signature=a&k", True),
        ("AWSAccessKeyId=a&Signature=b&Expires=1", True),
        ("Signature=b&Expires=1", False),
        ("AWSAccessKeyId=a&Expires=1", False),
        ("AWSAccessKeyId=a&Signature=b", False),
        ("AWSAccessKeyId=a&Expires=1&k-signature=b", False),
        ("X-Amz-Date=a", False),
        ("", False),
    ],
)
def test_a_url_that_carries_its_own_signature_is_told(query: str, is_presigned: bool) -> None:
    assert parse_url(f"http://t/b/k?{query}").is_presigned is is_presigned
    assert not parse_url("http://t/b/X-Amz-Signature=a").is_presigned


def test_what_is_no_absolute_url_is_said() -> None:
    for url in ("/b/k", "b", "http:b", "//t/b/k"):
        with pytest.raises(InvalidLocation, match="absolute"):
            parse_url(url)


UPLOAD = "partNumber=2&uploadId=a%20b"


@pytest.mark.parametrize("named", [UPLOAD, "uploadId=a+b&partNumber=2", f"pid=1&{UPLOAD}&utm=2", f"{UPLOAD}&u=1&%FF=2"])
def test_a_query_may_be_sorted_and_added_to(named: str) -> None:
    original = parse_url(f"http://p/s3/b/k?{UPLOAD}")
    assert resolve(f"/s3/b/k?{named}", original, original).query == named
    uploads = parse_url("http://p/s3/b/k?uploads")
    assert resolve("/s3/b/k?uploads=&pid=1", uploads, uploads).query == "uploads=&pid=1"


@pytest.mark.parametrize(
    "named",
    ["", "partNumber=2", "uploadId=a%20b", "partNumber=1&uploadId=a%20b", f"{UPLOAD}&acl", f"{UPLOAD}&versionId=1"],
)
def test_a_query_that_asks_for_something_else_is_refused(named: str) -> None:
    """Without its parameters, an UploadPart is a PutObject."""
    original = parse_url(f"http://p/s3/b/k?{UPLOAD}")
    for location in (f"/s3/b/k?{named}", *(["/s3/b/k"] if not named else [])):
        with pytest.raises(OtherObject, match="its query"):
            resolve(location, original, original)


def test_what_a_query_lacks_or_adds_is_named_shortly_and_in_ascii() -> None:
    original = parse_url(f"http://p/s3/b/k?{UPLOAD}")
    with pytest.raises(OtherObject, match="its query lacks 'partnumber' of the request"):
        resolve("/s3/b/k?x", original, original)
    with pytest.raises(OtherObject, match="its query has 'acl', which"):
        resolve(f"/s3/b/k?{UPLOAD}&versionId=1&acl", original, original)
    for added, shown in (("x-amz-%C3%A9", r"'x-amz-\\xe9'"), ("x-amz-".ljust(200, "x"), "'x-amz-x{94}'")):
        with pytest.raises(OtherObject, match=shown):
            resolve(f"/s3/b/k?{UPLOAD}&{added}", original, original)


@pytest.mark.parametrize(
    "added",
    "Algorithm Credential Date Expires Signature SignedHeaders Security-Token".split(),  # noqa: SIM905 - as below
)
def test_whoever_signs_a_url_may_add_the_signature(added: str) -> None:
    original = parse_url("http://p/s3/b/k")
    named = f"pid=1&utm=2&X-Amz-{added}=3"
    assert resolve(f"/s3/b/k?{named}", original, original).query == named


@pytest.mark.parametrize("added", ["acl", "uploadId=5", "tagging=", "x-amz-acl=public-read", "partNumber=1", "delete"])
def test_a_parameter_that_nobody_asked_for_is_refused(added: str) -> None:
    original = parse_url("http://p/s3/b/k")
    with pytest.raises(OtherObject, match="not asked for"):
        resolve(f"/s3/b/k?pid=1&{added}", original, original)


def test_odd_hosts_are_told() -> None:
    original = asked_for("k")
    assert split_netloc("a b") == ("a b", "")
    for location in ("http://[:::]/s3/capb/k", "http://\u20ac/s3/capb/k"):
        with pytest.raises(InvalidLocation):
            resolve(location, original, original)
