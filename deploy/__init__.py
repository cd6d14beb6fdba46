"""What runs the programs on AWS and elsewhere; the few Python modules only check or generate."""
