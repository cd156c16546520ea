# sqlite3 with journal and WAL.
for mode in delete wal; do
    sqlite3 $mode.db <<END
pragma journal_mode=$mode;
create table t(a integer primary key, b text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000) insert into t select i, 'row ' || i from n;
select count(*), sum(a), max(b) from t;
update t set b = b || '!' where a % 100 = 0;
select b from t where a % 250 = 0;
END
    sqlite3 $mode.db 'pragma integrity_check; select count(*) from t'
done
