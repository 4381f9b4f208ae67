// Package fleet makes a fleet of clusters, exports it, and asks the tables with DuckDB
// what the program itself can be asked.
package fleet
