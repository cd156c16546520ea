# nginx and python's http.server with curl.
mkdir -p www logs tmp
echo 'a page' > www/index.html
head -c 300000 /dev/zero | tr '\0' x > www/big
cat > nginx.conf <<END
daemon off; pid $PWD/nginx.pid; error_log $PWD/logs/error.log; worker_processes 2; user root;
events { worker_connections 64; }
http {
    access_log off; client_body_temp_path tmp/b; proxy_temp_path tmp/p; fastcgi_temp_path tmp/f; uwsgi_temp_path tmp/u; scgi_temp_path tmp/s;
    server { listen 127.0.0.1:7802; root $PWD/www; }
}
END
nginx -p "$PWD" -c nginx.conf 2>/dev/null &
server=$!
for i in $(seq 100); do curl -s -o /dev/null http://127.0.0.1:7802/ && break; sleep 0.1; done
curl -s http://127.0.0.1:7802/
curl -s http://127.0.0.1:7802/big | wc -c
curl -s -o /dev/null -w '%{http_code}\n' http://127.0.0.1:7802/nothing
for i in 1 2 3 4 5 6 7 8; do curl -s http://127.0.0.1:7802/index.html & done | sort | uniq -c | tr -s ' '
kill -QUIT $server
wait $server
echo "server $?"
