# Run as root in a booted Debian by tests/packaging/deb.py: everything that a package must do, step by step.
# /root has first.deb, and second.deb of a higher version that changes a configuration file.
set -eux
step() { { echo "STEP $*"; } 2>/dev/null; }
as_gcelib() { runuser -u gcelib -- "$@"; }

config=/etc/gcelib/gcelib.toml
key=/var/lib/gcelib/me.json
answers() {
    token=$(as_gcelib gcelib client token --config $config --key-file $key)
    python3 -c '
import json, ssl, sys, urllib.request
trusted = ssl.create_default_context(cafile="/var/lib/gcelib/ca.pem")
asked = urllib.request.Request("https://127.0.0.1:5000/compute/v1/projects/demo/zones",
                               headers={"Authorization": f"Bearer {sys.argv[1]}"})
print(*(zone["name"] for zone in json.load(urllib.request.urlopen(asked, context=trusted))["items"]))' "$token"
}

dpkg -i /root/first.deb
gcelib --version
test "$(stat -c %U:%a /var/lib/gcelib)" = gcelib:700
test -s /usr/share/man/man1/gcelib.1.gz
# Every compiled library finds what it is linked against.
/usr/lib/gcelib/bin/python -c '
import ctypes, pathlib
for library in sorted(pathlib.Path("/usr/lib/gcelib").rglob("*.so*")):
    ctypes.CDLL(str(library))'
step installed

# Not configured yet, it cannot start, and says why.
if systemctl start gcelib; then exit 1; fi
systemctl status gcelib | grep -q gcelib.toml || test "$(systemctl show -p AssertResult --value gcelib)" = no
step refused without a configuration

systemd-run --unit=cloud --property=StandardOutput=file:/run/cloud gcelib simulator --listen 127.0.0.1:8080
until grep -q ready /run/cloud; do sleep 0.1; done
set -- $(grep "^account demo " /run/cloud)
gcelib configure --no-input --config $config --state-dir /var/lib/gcelib --group gcelib \
    --endpoint http://127.0.0.1:8080/client/api --key "$4" --secret "$6" --project demo
systemctl enable --now gcelib
test "$(systemctl show -p StatusText --value gcelib)" = "serving https://127.0.0.1:5000"
step started

if gcelib account list --config $config 2>/run/refused; then exit 1; fi
grep -q "sudo -u 'gcelib' gcelib account" /run/refused
as_gcelib gcelib account create-service me --project demo --role operator --key-file $key --config $config
answers
step answered

systemctl reload gcelib
echo "threads = nonsense" >/root/mistake
cp $config /root/kept.toml
cat /root/kept.toml /root/mistake >$config
systemctl reload gcelib
until systemctl show -p StatusText --value gcelib | grep -q "the one before stays"; do sleep 0.1; done
cat /root/kept.toml >$config
systemctl reload gcelib
answers
step reloaded

# As docs/install.md has it for a port below 1024.
mkdir /etc/systemd/system/gcelib.service.d
cat >/etc/systemd/system/gcelib.service.d/port.conf <<END
[Service]
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
PrivateUsers=no
Environment=GCELIB_SERVER_LISTEN=127.0.0.1:443
END
systemctl daemon-reload
systemctl restart gcelib
test "$(systemctl show -p StatusText --value gcelib)" = "serving https://127.0.0.1:443"
rm -r /etc/systemd/system/gcelib.service.d
systemctl daemon-reload
systemctl restart gcelib
step on port 443 with the right for it

echo GCELIB_SERVER_LOG_FORMAT=json >>/etc/default/gcelib
before=$(systemctl show -p MainPID --value gcelib)
dpkg --force-confold -i /root/second.deb
test "$(dpkg-query -W -f '${Version}' gcelib)" = "$(dpkg-deb -f /root/second.deb Version)"
grep -q GCELIB_SERVER_LOG_FORMAT=json /etc/default/gcelib
test -e /etc/default/gcelib.dpkg-dist
systemctl is-active gcelib
test "$(systemctl show -p MainPID --value gcelib)" != "$before"
answers
journalctl -u gcelib -o cat | grep -q '^{"'
step upgraded

systemctl stop gcelib
test "$(systemctl show -p Result --value gcelib)" = success
step stopped

systemctl start gcelib
dpkg -r gcelib
test "$(systemctl is-active gcelib || true)" != active
test ! -e /usr/bin/gcelib
test ! -e /usr/lib/gcelib
test -s /var/lib/gcelib/gcelib.sqlite
test -s $config
grep -q json /etc/default/gcelib
step removed, the data kept

dpkg --force-confold -i /root/second.deb
systemctl start gcelib
answers
step installed again, with what there was

dpkg -P gcelib
for left in /var/lib/gcelib /etc/gcelib /etc/default/gcelib /usr/lib/gcelib /usr/bin/gcelib \
    /etc/systemd/system/multi-user.target.wants/gcelib.service; do
    test ! -e $left
    test ! -L $left
done
if getent passwd gcelib; then exit 1; fi
step purged
step done
