"""One module a page, each with `render(context) -> None`: no SQL, no arithmetic; `navigation.PAGES` lists them."""
