#!/bin/sh
# Makes the certificates of the simulated cluster, with OpenSSL 3. They are for loopback and secret to nobody.
#
#   authority.pem   the authority that clients of the cluster trust
#   server.pem      key and certificate for localhost, *.localhost and 127.0.0.1 to 127.0.0.254
#   other-name.pem  the same for other.test alone: trusted, but the wrong name
#   untrusted.pem   the same as server.pem, of an authority that nobody trusts
#   client.pem      a client's key and certificate
#
# They hold from 2020 to 2120, whatever the clock says; run this again, here, to change what is in them.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

cat > "$work/settings" <<SETTINGS
[ca]
default_ca = ours
[ours]
database = $work/issued
new_certs_dir = $work
rand_serial = yes
unique_subject = no
default_md = sha256
default_startdate = 20200101000000Z
default_enddate = 21200101000000Z
policy = any
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[certificate]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = \$ENV::PURPOSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
subjectAltName = \$ENV::NAMES
SETTINGS
: > "$work/issued"
export PURPOSE=serverAuth NAMES=DNS:unused.test

request() { # file, common name
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -subj "/CN=$2" \
        -keyout "$work/$1.key" -out "$work/$1.csr"
}

issue() { # file, section, then options that say who signs
    file=$1 section=$2
    shift 2
    openssl ca -batch -notext -config "$work/settings" -extensions "$section" \
        -in "$work/$file.csr" -out "$work/$file.crt" "$@"
}

authority() { # file, common name
    request "$1" "$2"
    issue "$1" authority -selfsign -keyfile "$work/$1.key"
}

certificate() { # file, authority, common name, alternative names, purpose
    request "$1" "$3"
    NAMES=$4 PURPOSE=$5
    issue "$1" certificate -cert "$work/$2.crt" -keyfile "$work/$2.key"
    cat "$work/$1.key" "$work/$1.crt" > "$1.pem"
}

everywhere="DNS:localhost,DNS:*.localhost$(seq 1 254 | sed 's/^/,IP:127.0.0./' | tr -d '\n')"

authority trusted "Simulated cluster test authority"
authority distrusted "Nobody's test authority"
cp "$work/trusted.crt" authority.pem
certificate server trusted "Simulated cluster" "$everywhere" serverAuth
certificate other-name trusted other.test DNS:other.test serverAuth
certificate untrusted distrusted "Simulated cluster" "$everywhere" serverAuth
certificate client trusted "Simulated client" DNS:client.test clientAuth
