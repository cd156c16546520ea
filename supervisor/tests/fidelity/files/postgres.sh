# PostgreSQL: a new cluster, tables, indices and transactions, a stop and a start, a crash and its recovery.
export PATH=$(echo /usr/lib/postgresql/*/bin):$PATH PGDATA=$PWD/data PGHOST=$PWD PGPORT=7804 PGUSER=me PGDATABASE=postgres
export LC_ALL=C TZ=UTC
as=()
if [ "$(id -u)" = 0 ]; then chmod 755 . && mkdir data && chown nobody data . && as=(setpriv --reuid nobody --regid nogroup --clear-groups); fi
"${as[@]}" initdb -N -U me -A trust --locale=C -E UTF8 > log || exit
echo "unix_socket_directories = '$PWD'
listen_addresses = ''
shared_buffers = 4MB
max_connections = 10" >> data/postgresql.conf
up() { "${as[@]}" pg_ctl -w -s -l "$PWD/server.log" start; }
sql() { psql -q -A -t -v ON_ERROR_STOP=1 "$@"; }
up
sql -c "create table t(id serial primary key, name text unique, n int)"
sql -c "insert into t(name, n) select 'row ' || i, i * i from generate_series(1, 500) i"
for who in 1 2 3; do sql -c "begin; update t set n = n + $who where id = 7; commit" & done; wait
sql -c "select count(*), sum(n), max(name) from t" -c "select n from t where id = 7"
sql -c "begin; delete from t; rollback" -c "vacuum analyze t" -c "select count(*) from t"
"${as[@]}" pg_ctl -w -s -m fast stop; up
sql -c "select count(*) from t" -c "create index i on t(n); insert into t(name, n) values('late', 1)"
"${as[@]}" pg_ctl -w -s -m immediate stop; up
sql -c "select name from t where n = 1 order by name" -c "select count(*) from pg_class where relname = 'i'"
"${as[@]}" pg_ctl -w -s stop; echo "stopped $?"
