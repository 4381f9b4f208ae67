package rollback

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"revenant/analyzer/finding"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// serviceAccounts looks at whose tokens the restored API refuses.
func (c *comparison) serviceAccounts() {
	for ch := range c.changes("", "serviceaccounts") {
		f := Finding{Evidence: c.evidence(ch.before, ch.after)}
		pods := c.users(ch.Namespace, func(p *pod) bool { return p.ServiceAccount == ch.Name })
		used := "; used by no pod" + c.partly(c.current, kube.Key{Resource: "pods"}, "pods")
		if pods.count > 0 {
			used = "; used by " + pods.String()
		}
		switch {
		case ch.lost() && !c.lostWithNamespace(&ch):
			f.Reason = "only in the current state" + used
			c.add(AccountLost, ch.Key, f)
		case ch.replaced():
			before, ok := get[*corev1.ServiceAccount](c, c.backup, ch.before)
			after, ok2 := get[*corev1.ServiceAccount](c, c.current, ch.after)
			if !ok || !ok2 || before.UID == after.UID {
				continue
			}
			f.Reason = fmt.Sprintf("uid %s in the backup, %s in the current state%s", before.UID, after.UID, used)
			c.add(AccountReplaced, ch.Key, f)
		}
	}
	c.lostTokens()
}

// lostTokens reports whose pods are locked out of the API. An account to which
// nothing is bound has next to nothing to lose.
func (c *comparison) lostTokens() {
	if len(c.tokens) == 0 {
		return
	}
	bound := c.boundAccounts()
	for _, account := range slices.Sorted(maps.Keys(c.tokens)) {
		k := kube.Key{Resource: "serviceaccounts"}
		k.Namespace, k.Name, _ = strings.Cut(account, "/")
		f := Finding{
			Reason:   fmt.Sprintf("%s only in the current state: %s", words.CountOf(c.tokens[account].count, "pod with a token", "pods with tokens"), c.tokens[account]),
			Evidence: c.tokens[account].refs,
		}
		if unread := cmp.Or(c.partly(c.current, kube.Key{Group: rbacGroup, Resource: "clusterrolebindings"}, "ClusterRoleBindings"), c.partly(c.current, kube.Key{Group: rbacGroup, Resource: "rolebindings"}, "RoleBindings")); !bound[k] && unread != "" {
			f.Reason += "; whether a role is bound to the account is not known" + unread
		} else if !bound[k] {
			f.Severity = finding.OK
			f.Reason += "; no role is bound to the account itself"
		}
		c.add(TokenOfPhantoms, k, f)
	}
}

// boundAccounts are the ServiceAccounts that a binding of the current state names, or
// the user that one is.
func (c *comparison) boundAccounts() map[kube.Key]bool {
	bound := map[kube.Key]bool{}
	for _, resource := range []string{"clusterrolebindings", "rolebindings"} {
		for r := range c.current.Keys(kube.Key{Group: rbacGroup, Resource: resource}.Path(c.prefix)) {
			b, _ := c.grant(c.current, r).(binding) // what is none, or cannot be read, has no subjects
			k, _ := kube.ParseKey(c.prefix, r.Key)
			for _, s := range b.subjects {
				account := kube.Key{Resource: "serviceaccounts", Namespace: cmp.Or(s.Namespace, k.Namespace), Name: s.Name}
				if user, ok := strings.CutPrefix(s.Name, "system:serviceaccount:"); ok && s.Kind == rbacv1.UserKind {
					account.Namespace, account.Name, _ = strings.Cut(user, ":")
				} else if s.Kind != rbacv1.ServiceAccountKind {
					continue
				}
				bound[account] = true
			}
		}
	}
	return bound
}

const rbacGroup = "rbac.authorization.k8s.io"

// permissions looks at the roles and bindings that differ.
func (c *comparison) permissions() {
	for _, resource := range []string{"clusterroles", "clusterrolebindings", "roles", "rolebindings"} {
		for ch := range c.changes(rbacGroup, resource) {
			if c.lostWithNamespace(&ch) {
				continue
			}
			f := Finding{Evidence: c.evidence(ch.before, ch.after)}
			switch {
			case ch.lost():
				f.Reason = "only in the current state" + c.grants(c.current, ch.after)
				c.add(AccessLost, ch.Key, f)
			case ch.resurrected():
				f.Reason = "only in the backup" + c.grants(c.backup, ch.before)
				c.add(AccessRegranted, ch.Key, f)
			case c.grantsDiffer(&ch):
				f.Reason = "the backup grants something else" + c.grants(c.backup, ch.before)
				c.add(AccessRegranted, ch.Key, f)
			}
		}
	}
}

// grants says what a role or binding gives, and to whom.
func (c *comparison) grants(s side, r snapshot.Record) string {
	switch o := c.grant(s, r).(type) {
	case binding:
		var to names
		for _, subject := range o.subjects {
			to.add(strings.TrimSpace(subject.Kind + " " + objectName(kube.Key{Namespace: subject.Namespace, Name: subject.Name})))
		}
		if to.count == 0 {
			return fmt.Sprintf(": %s %s to nobody", o.role.Kind, o.role.Name)
		}
		return fmt.Sprintf(": %s %s to %s", o.role.Kind, o.role.Name, &to)
	case []rbacv1.PolicyRule:
		return ": " + words.Count(len(o), "rule")
	}
	return ""
}

func (c *comparison) grantsDiffer(ch *change) bool {
	before, after := c.grant(c.backup, ch.before), c.grant(c.current, ch.after)
	return before != nil && after != nil && !reflect.DeepEqual(before, after)
}

// binding is what a RoleBinding or ClusterRoleBinding says.
type binding struct {
	role     rbacv1.RoleRef
	subjects []rbacv1.Subject
}

// grant reads what a role or binding says; nil when that cannot be read.
func (c *comparison) grant(s side, r snapshot.Record) any {
	value := c.value(s, r)
	if value == nil {
		return nil
	}
	o := kube.Decode(kube.Key{}, value)
	obj, err := o.Newest()
	switch o := obj.(type) {
	case *rbacv1.Role:
		return o.Rules
	case *rbacv1.ClusterRole:
		return o.Rules
	case *rbacv1.RoleBinding:
		return binding{o.RoleRef, o.Subjects}
	case *rbacv1.ClusterRoleBinding:
		return binding{o.RoleRef, o.Subjects}
	}
	c.noteUnread(s, r, cmp.Or(err, kube.ErrWrongKind))
	return nil
}
