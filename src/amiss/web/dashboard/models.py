"""Soon."""

import streamlit as st


def page() -> None:
    """Soon."""
    st.write("soon")
