"""The script that Streamlit runs for each reader: a bar with the pages, and the chosen one."""

import streamlit as st

from amiss.errors import Error
from amiss.web.dashboard import (
    explorer,
    health,
    here,
    incident,
    models,
    now,
    parts,
    survey,
    theme,
)


def main() -> None:
    """Draw the page that the address asks for."""
    st.set_page_config(page_title="Amiss", page_icon=theme.ICON, layout="wide")
    st.html(theme.STYLE)
    pages = {
        "now": st.Page(now.page, title="Now", url_path="now", default=True),
        "incident": st.Page(incident.page, title="Incidents", url_path="incident"),
        "survey": st.Page(survey.page, title="Survey", url_path="survey"),
        "explorer": st.Page(explorer.page, title="Explorer", url_path="explorer"),
        "health": st.Page(health.page, title="Health", url_path="health"),
        "models": st.Page(models.page, title="Models", url_path="models"),
    }
    st.session_state["pages"] = pages
    chosen = st.navigation(list(pages.values()), position="hidden")
    with st.container(horizontal=True, key="bar", gap="small", vertical_alignment="center"):
        st.html('<a class="am-name" href="./" aria-label="Amiss, to the first page">Amiss</a>')
        for page in pages.values():
            st.page_link(page)
    try:
        here.the_live()
        chosen.run()
    except Error as exc:
        parts.show(parts.notice("fail", f"This page cannot be drawn: {exc}", "Load it again."))


if __name__ == "__main__":
    main()
