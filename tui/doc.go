// Package tui shows in a terminal what restoring a snapshot does, and what is in one.
//
// It takes Options: how to open the evidence, which the caller's Load does while a progress
// bar is shown, and where to draw. Its result is what the screen shows.
//
// Evidence cannot control the terminal: every string of it goes through sanitize on its
// way to the screen. A plan that etcdutl refuses is shown with that refusal, not prevented.
//
// The packages below it, each of which knows only those after it:
//
//	shell     the one Bubble Tea model: header, plan, bottom line, registry of screens
//	screens   one package a screen, and in shared what several of them draw
//	session   what all screens show; it starts all reading of the evidence
//	widget    tables, boards, pagers, prompts, the ruler: they know no finding
//	draw      text in columns, styles, glyphs
//	keys      the one table of keys
package tui
