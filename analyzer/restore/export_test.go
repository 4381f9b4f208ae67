package restore

// CheckOnto holds what must be so of every backup that is restored onto other machines.
var CheckOnto = checkOnto
