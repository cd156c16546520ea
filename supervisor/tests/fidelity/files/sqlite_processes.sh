# sqlite3 in journal and in write-ahead mode, with several processes at one database.
for mode in delete truncate persist wal; do
    sqlite3 $mode.db "pragma journal_mode=$mode; create table t(id integer primary key, who text, n int);"
    for who in a b c; do
        for n in $(seq 6); do echo ".timeout 60000
            pragma journal_mode=$mode; begin immediate; insert into t(who, n) values('$who', $n); commit;"; done | sqlite3 $mode.db > /dev/null &
    done
    wait
    sqlite3 $mode.db "select who, count(*), sum(n) from t group by who order by who; pragma integrity_check;"
    ls $mode.db*
done
sqlite3 wal.db "pragma wal_checkpoint(truncate); vacuum; pragma page_count; pragma journal_mode=delete;"
(echo 'begin; insert into t(who, n) values("lost", 1);'; echo '.shell kill -9 $PPID') > killed
(sqlite3 delete.db < killed; echo "ended $?") 2> /dev/null
sqlite3 delete.db "select count(*) from t where who = 'lost'; pragma integrity_check;"
sqlite3 large.db "create table t(b blob); with recursive c(n) as (select 1 union all select n + 1 from c where n < 300)
    insert into t select zeroblob(4000) from c; create index i on t(b); delete from t where rowid % 3; vacuum;
    select count(*), sum(length(b)) from t; pragma mmap_size=1000000; select count(*) from t where b is not null;"
sqlite3 large.db ".backup copy.db" && sqlite3 copy.db "pragma integrity_check"
