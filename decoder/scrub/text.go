package scrub

import (
	"bytes"
	"regexp"
	"slices"
	"sync"
)

// Domains of the cipher: what is the same word in two of them has two pseudonyms.
const (
	domainWord    = 'w'
	domainHex     = 'h'
	domainAddress = 'a'
	domainOpaque  = 'o'
	domainFill    = 'f'
	domainMember  = 'm'
)

const (
	longHex   = 16 // characters from which on a word of hexadecimal digits stays one: a hash, an id
	maxName   = 512
	maxCached = 1 << 17 // words
)

// texts changes texts in place.
type texts struct {
	cipher *cipher
	made   map[string]string // pseudonyms, by domain and word
	ledger *Ledger
}

func newTexts(k Key) *texts {
	return &texts{cipher: newCipher(k), made: map[string]string{}, ledger: newLedger()}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isLower(c byte) bool { return c >= 'a' && c <= 'z' }
func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isAlnum(c byte) bool { return isDigit(c) || isLower(c) || isUpper(c) }
func isHex(c byte) bool   { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

func all(b []byte, is func(byte) bool) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return !is(c) })
}

// run is how many bytes of b from i on are of the kind.
func run(b []byte, i int, is func(byte) bool) int {
	n := i
	for n < len(b) && is(b[n]) {
		n++
	}
	return n - i
}

// nameLike says whether b may be a name, an address, a path or several of them: words with
// punctuation between, and no space.
func nameLike(b []byte) bool {
	return len(b) <= maxName && all(b, func(c byte) bool { return isAlnum(c) || bytes.IndexByte([]byte("-._/:@+=,[]~%"), c) >= 0 })
}

// lazily compiles an expression when it is needed: these take as long as all else that a
// program does before it begins.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

var (
	timePattern    = lazily(`^[12][0-9]{3}-[01][0-9]-[0-3][0-9][Tt][0-2][0-9]:[0-5][0-9]:[0-6][0-9](\.[0-9]{1,9})?([Zz]|[+-][0-2][0-9]:[0-5][0-9])$`)
	apiPattern     = lazily(`^v[0-9]{1,2}((alpha|beta)[0-9]{1,2})?$`)
	versionPattern = lazily(`^v?[0-9]{1,4}(\.[0-9]{1,4}){1,2}`)
	buildPattern   = lazily(`^(k3s|rke2r|k0s|eks|gke|alpha|beta|rc|r)?[0-9]{0,4}$`)
	quantityLike   = lazily(`^[+-]?[0-9.]{1,40}([EPTGMk]i?|[Knum]i?|[eE][+-]?[0-9]{1,3})?$`)
	cronPattern    = lazily(`^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|[0-9*/,?LW#-]{1,80}( +([0-9*/,?LW#-]|SUN|MON|TUE|WED|THU|FRI|SAT|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC){1,80}){4})$`)
)

// keep leaves b as it is.
func (t *texts) keep(b []byte) { t.ledger.words(b) }

// text replaces a text that may be a name.
func (t *texts) text(b []byte) {
	if nameLike(b) {
		t.name(b)
	} else {
		t.opaque(b)
	}
}

// name replaces the words of a name, in place. What stands between them stays, and so do
// Kubernetes' own names, times, versions of APIs, ports, and the ordinal at the end of a name.
func (t *texts) name(b []byte) {
	if words().named[string(b)] || timePattern().Match(b) {
		t.keep(b)
		return
	}
	for i := 0; i < len(b); {
		if i > 0 && isAlnum(b[i-1]) || !isAlnum(b[i]) && b[i] != ':' {
			i++
			continue
		}
		if n := t.special(b, i); n > 0 {
			i += n
			continue
		}
		n := run(b, i, isAlnum)
		switch word := b[i : i+n]; {
		case n == 0:
			n = 1
		case apiPattern().Match(word), isPort(b, i, n), isOrdinal(b, i, n):
			t.keep(word)
		default:
			t.word(word)
		}
		i += n
	}
}

// special replaces what is more than a word at b[i:], and says how long it is; 0 for none.
func (t *texts) special(b []byte, i int) int {
	for _, phrase := range inner {
		if n := len(phrase); bytes.HasPrefix(b[i:], []byte(phrase)) && (i+n == len(b) || !isAlnum(b[i+n])) {
			t.keep(b[i : i+n])
			return n
		}
	}
	if n := uuid(b[i:]); n > 0 {
		t.hex(b[i : i+n])
		return n
	}
	if n := t.address4(b, i); n > 0 {
		return n
	}
	return t.address6(b, i)
}

// isPort says whether the word is a number after a colon.
func isPort(b []byte, i, n int) bool {
	return n <= 5 && i > 0 && b[i-1] == ':' && all(b[i:i+n], isDigit)
}

// isOrdinal says whether the word is a small number at the end of a name: of a pod of a
// StatefulSet, or of a node. That of an address written with hyphens is none.
func isOrdinal(b []byte, i, n int) bool {
	if n > 3 || i < 2 || b[i-1] != '-' || !all(b[i:i+n], isDigit) || i+n < len(b) && b[i+n] == '-' {
		return false
	}
	from := i - 1
	for from > 0 && isAlnum(b[from-1]) {
		from--
	}
	return !all(b[from:i-1], isDigit)
}

// uuid is the length of one at the beginning of b, 0 for none.
func uuid(b []byte) int {
	const length = 36
	if len(b) < length || len(b) > length && isAlnum(b[length]) {
		return 0
	}
	for i, c := range b[:length] {
		if hyphen := i == 8 || i == 13 || i == 18 || i == 23; hyphen != (c == '-') || !hyphen && !isHex(c) {
			return 0
		}
	}
	return length
}

// word replaces letters and digits by others: a small letter by a small one, a capital by
// a capital one, and a digit by a digit.
func (t *texts) word(b []byte) {
	if len(b) >= longHex && all(b, isHex) && !all(b, isDigit) && !slices.ContainsFunc(b, isUpper) {
		t.hex(b)
		return
	}
	t.replace(domainWord, b)
}

// replace permutes the letters and digits of b.
func (t *texts) replace(domain byte, b []byte) {
	if len(b) == 0 || domain == domainWord && kept(string(b)) {
		t.keep(b)
		return
	}
	key := string(domain) + string(b)
	made, ok := t.made[key]
	if !ok {
		t.ledger.replaced(b)
		radix, x := make([]byte, len(b)), make([]byte, len(b))
		for i, c := range b {
			from, n := alphabet(c, i == 0 && len(b) > 1)
			radix[i], x[i] = n, c-from
		}
		// What is kept is no pseudonym of anything else.
		for made = ""; made == "" || domain == domainWord && kept(made); { // which ends where b is reached again
			t.cipher.permute(domain, radix, x)
			word := bytes.Clone(x)
			for i, c := range b {
				from, _ := alphabet(c, i == 0 && len(b) > 1)
				word[i] += from
			}
			made = string(word)
		}
		t.note(key, made)
	}
	copy(b, made)
	t.ledger.words(b)
}

// kept says whether a word stays wherever it stands.
func kept(word string) bool {
	return apiPattern().MatchString(word) || slices.Contains(inner, word)
}

// note keeps a pseudonym.
func (t *texts) note(key, made string) {
	if len(t.made) >= maxCached {
		clear(t.made)
	}
	t.made[key] = made
}

// alphabet is the first character of those that may stand for c, and how many they are. A
// number does not begin with a zero unless it did.
func alphabet(c byte, first bool) (from, n byte) {
	switch {
	case c == '0' && first:
		return '0', 1
	case isDigit(c) && first:
		return '1', 9
	case isDigit(c):
		return '0', 10
	case isLower(c):
		return 'a', 26
	}
	return 'A', 26
}

// hex replaces the hexadecimal digits of b by others, and leaves what stands between them.
func (t *texts) hex(b []byte) {
	const lower, upper = "0123456789abcdef", "0123456789ABCDEF"
	var radix, x []byte
	for _, c := range b {
		switch {
		case isDigit(c):
			radix, x = append(radix, 16), append(x, c-'0')
		case c >= 'a' && c <= 'f':
			radix, x = append(radix, 16), append(x, c-'a'+10)
		case c >= 'A' && c <= 'F':
			radix, x = append(radix, 16), append(x, c-'A'+10)
		}
	}
	digits := lower
	if slices.ContainsFunc(b, isUpper) {
		digits = upper
	}
	t.cipher.permute(domainHex, radix, x)
	n := 0
	for i, c := range b {
		if isHex(c) {
			b[i] = digits[x[n]]
			n++
		}
	}
	t.ledger.words(b)
}

// address4 replaces an IPv4 address at b[i:] and says how long it is, with the length of
// a prefix after it. Addresses that begin alike do so afterwards; what is special stays.
func (t *texts) address4(b []byte, i int) int {
	var octets [4]byte
	var at, size [4]int
	n := i
	for k := range octets {
		at[k], size[k] = n, run(b, n, isDigit)
		value := 0
		for _, c := range b[n:min(n+size[k], len(b))] {
			value = min(value*10+int(c-'0'), 256)
		}
		if size[k] == 0 || size[k] > 3 || value > 255 || size[k] > 1 && b[n] == '0' {
			return 0
		}
		octets[k], n = byte(value), n+size[k]
		if k < 3 {
			if n == len(b) || b[n] != '.' {
				return 0
			}
			n++
		}
	}
	if n < len(b) && (isAlnum(b[n]) || b[n] == '.' && n+1 < len(b) && isDigit(b[n+1])) {
		return 0
	}
	end := t.prefixLength(b, n)
	if octets[0] == 127 || octets == [4]byte{} || octets == [4]byte{255, 255, 255, 255} {
		t.keep(b[i:end])
		return end - i
	}
	key := string(domainAddress) + string(b[i:end])
	if made, ok := t.made[key]; ok {
		copy(b[i:], made)
		t.ledger.words(b[i:end])
		return end - i
	}
	for k, octet := range octets {
		from, radix := [4]byte{0, 1, 10, 100}[size[k]], [4]byte{0, 9, 90, 156}[size[k]]
		if octet == 0 {
			continue
		}
		octet = from + t.cipher.shuffle(domainAddress, byte(k), octets[:k], radix, octet-from)
		for d := at[k] + size[k] - 1; d >= at[k]; d-- {
			b[d] = '0' + octet%10
			octet /= 10
		}
	}
	t.note(key, string(b[i:end]))
	t.ledger.words(b[i:end])
	return end - i
}

// prefixLength is where the length of an address's prefix ends that stands at b[n:].
func (t *texts) prefixLength(b []byte, n int) int {
	if n < len(b) && b[n] == '/' {
		if digits := run(b, n+1, isDigit); digits > 0 && digits <= 3 && (n+1+digits == len(b) || !isAlnum(b[n+1+digits])) {
			return n + 1 + digits
		}
	}
	return n
}

// address6 replaces an IPv6 address at b[i:], as address4 does.
func (t *texts) address6(b []byte, i int) int {
	n := run(b, i, func(c byte) bool { return isHex(c) || c == ':' })
	text := b[i : i+n]
	if bytes.Count(text, []byte(":")) < 2 || i+n < len(b) && isAlnum(b[i+n]) || !bytes.ContainsFunc(text, func(r rune) bool { return r != ':' }) {
		return 0
	}
	for _, group := range bytes.Split(text, []byte(":")) {
		if len(group) > 4 {
			return 0
		}
	}
	end := t.prefixLength(b, i+n)
	if string(text) == "::1" {
		return end - i
	}
	before := bytes.Clone(text)
	for k := 0; k < len(text); k++ {
		c := text[k]
		if c == ':' || c == '0' && (k == 0 || text[k-1] == ':') {
			continue
		}
		value, from, radix := hexValue(c), byte(0), byte(16)
		if k == 0 || text[k-1] == ':' {
			from, radix = 1, 15
		}
		text[k] = "0123456789abcdef"[from+t.cipher.shuffle(domainAddress, 6, before[:k], radix, value-from)]
	}
	t.ledger.words(b[i:end])
	return end - i
}

func hexValue(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case isLower(c):
		return c - 'a' + 10
	}
	return c - 'A' + 10
}

// opaque replaces a text of which nothing is to be known but whether it is the same as
// another one.
func (t *texts) opaque(b []byte) {
	if len(b) <= 16 && all(b, isAlnum) {
		t.replace(domainOpaque, b)
		return
	}
	t.fill(b)
}

// filled is how many letters of what is filled depend on its content.
const filled = 32

// fill overwrites b with letters, and then with dots. The same content has the same letters.
func (t *texts) fill(b []byte) {
	if len(b) == 0 {
		return
	}
	t.ledger.replaced(b)
	d := t.cipher.digest(domainFill, b)
	for i := range b {
		if i < filled {
			b[i] = 'a' + d[i]%26
		} else {
			b[i] = filler
		}
	}
	t.ledger.words(b[:min(len(b), filled)])
}

// filler is no letter, so that no row of letters goes on after it (Audit).
const filler = '.'

// version leaves a version as it is, and of what is built in only what Kubernetes'
// distributions write there.
func (t *texts) version(b []byte) {
	n := len(versionPattern().Find(b))
	if n == 0 || n < len(b) && b[n] != '-' && b[n] != '+' {
		t.text(b)
		return
	}
	t.keep(b[:n])
	for i := n; i < len(b); {
		size := run(b, i, isAlnum)
		switch word := b[i : i+size]; {
		case size == 0 && (b[i] == '-' || b[i] == '+' || b[i] == '.'):
			size = 1
		case size == 0:
			b[i], size = filler, 1
		case buildPattern().Match(word):
			t.keep(word)
		default:
			t.word(word)
		}
		i += size
	}
}

// own are the images of Kubernetes whose version is kept.
var own = map[string]bool{
	"kube-apiserver": true, "kube-controller-manager": true, "kube-scheduler": true, "kube-proxy": true, "etcd": true,
	"coredns": true, "pause": true, "hyperkube": true,
}

// image replaces the reference of an image, and leaves the tag of those that show which
// version of Kubernetes runs.
func (t *texts) image(b []byte) {
	at := bytes.IndexByte(b, '@')
	if at < 0 {
		at = len(b)
	}
	slash, colon := bytes.LastIndexByte(b[:at], '/'), bytes.LastIndexByte(b[:at], ':')
	if !nameLike(b) || colon <= slash || !own[string(b[slash+1:colon])] {
		t.text(b)
		return
	}
	t.name(b[:slash+1])
	t.keep(b[slash+1 : colon])
	t.version(b[colon+1 : at])
	t.name(b[at:])
}
