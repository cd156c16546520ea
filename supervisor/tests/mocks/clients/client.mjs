// Asks over HTTPS, in the two ways that Node has, and with axios.
import https from "node:https";
import { createRequire } from "node:module";

const axios = createRequire(import.meta.url)("axios");

const url = "https://api.payments.test/charge/7";
const answer = await fetch(url, { method: "POST" });
console.log("fetch", answer.status, await answer.text());
https.request(url, { method: "POST" }, answer => {
  answer.setEncoding("utf8");
  let text = "";
  answer.on("data", piece => (text += piece));
  answer.on("end", () => console.log("https", answer.statusCode, text));
}).end();
const { status, data } = await axios.post(url);
console.log("axios", status, JSON.stringify(data));
