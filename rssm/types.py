"""The axis alphabet and the array types of every signature.

B batch      T time         V slots       D width of x      A width of an action
H width of h S groups       C classes     F width of feat   R slots an action names
L cells of a slot           K symbols     N rows of a table
"""

from jax import Array
from jaxtyping import Bool, Float, PRNGKeyArray, Shaped
from jaxtyping import Integer as Int  # unsigned too

__all__ = ["Array", "Bool", "Float", "Int", "PRNGKeyArray", "Shaped"]
