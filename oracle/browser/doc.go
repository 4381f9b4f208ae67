// Package browser opens the pages that the program writes in Chromium.
package browser
