// Answers SQL texts, one a line as JSON, with their rows as JSON.
import { createInterface } from 'node:readline';
import { DuckDBInstance } from '@duckdb/node-api';

const db = await (await DuckDBInstance.create(':memory:')).connect();
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const result = await db.runAndReadAll(JSON.parse(line));
    console.log(JSON.stringify({ rows: result.getRowObjectsJson() }));
  } catch (err) {
    console.log(JSON.stringify({ error: String(err) }));
  }
}
