// Package documents reads what the program writes with libraries that others made.
package documents
