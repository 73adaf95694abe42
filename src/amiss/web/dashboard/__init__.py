"""The pages for people: Streamlit, in the process and on the port of everything else."""
