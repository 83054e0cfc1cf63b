// Keeps package-lock.json free of addresses: `npm run lock` after a change of dependencies.
// (.npmrc already leaves out where packages are downloaded from; what is left are requests for funding.)
import { readFileSync, writeFileSync } from "node:fs";

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
for (const entry of Object.values(lock.packages)) delete entry.funding;
const text = JSON.stringify(lock, null, 2) + "\n";
if (text.includes("http")) throw new Error("package-lock.json still names an address");
writeFileSync("package-lock.json", text);
