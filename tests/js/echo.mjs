// Reads a JSON list of MessagePack values in hex, and writes each as the console's codec packs what it understood.

import { decode, encode } from "../../static/console/msgpack.js";

let input = "";
for await (const piece of process.stdin) input += piece;
const echoed = JSON.parse(input).map((hex) => Buffer.from(encode(decode(Buffer.from(hex, "hex")))).toString("hex"));
process.stdout.write(JSON.stringify(echoed));
