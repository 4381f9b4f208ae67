// Parses the SQL of docs/fleet.md, the texts on standard input as JSON by dialect, with
// the grammars of Spark and Trino, and prints what is wrong with them.
import { readFileSync } from 'node:fs';
import { SparkSQL, TrinoSQL } from 'dt-sql-parser';

const parsers = { spark: new SparkSQL(), trino: new TrinoSQL() };
for (const [dialect, texts] of Object.entries(JSON.parse(readFileSync(0, 'utf8')))) {
  for (const text of texts) {
    for (const fault of parsers[dialect].validate(text)) {
      console.log(`${dialect}: line ${fault.startLine}: ${fault.message}\n${text}`);
    }
  }
}
