package restore

// Settle says what the outcome is once kubelets have relisted their pods.
func (c *Comparison) Settle(plan Plan) (*Prediction, error) {
	p, _, err := c.settle(plan)
	return p, err
}

// CheckOnto holds what must be so of every backup that is restored onto other machines.
var CheckOnto = checkOnto
