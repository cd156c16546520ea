# A server that gives whoever logs in a terminal, once it has made it theirs.
mkdir -p /run/sshd keys
chmod 700 keys
ssh-keygen -q -t ed25519 -N '' -f keys/host
ssh-keygen -q -t ed25519 -N '' -f keys/user
printf '%s\n' 'Port 2299' 'ListenAddress 127.0.0.1' "HostKey $PWD/keys/host" "AuthorizedKeysFile $PWD/keys/user.pub" \
    'StrictModes no' 'PidFile none' 'UsePAM no' 'PermitRootLogin yes' >sshd_config
/usr/sbin/sshd -D -f "$PWD/sshd_config" 2>/dev/null &
options='-F none -i keys/user -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR'
login() {
    ssh -p 2299 $options "$@" </dev/null | tr -d '\r'
}
here=$(id -un)@127.0.0.1
until (: >/dev/tcp/127.0.0.1/2299) 2>/dev/null; do sleep 1; done
login -T "$here" tty
login -tt "$here" 'tty; stat -c "%a %U %G" $(tty)'
echo words >file
scp -q -O -P 2299 $options file "$here:$PWD/copy"
cmp file copy && echo copied
kill $!
