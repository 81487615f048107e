"""The imitated account and its boards."""

from __future__ import annotations

import secrets
from typing import Any

from litestar import Response, Router, get, post
from litestar.handlers import HTTPRouteHandler

from sandbox.pinterest.answers import AnyRequest, body_of, document, invalid, page_of, without_zone
from sandbox.pinterest.pins import document_of
from sandbox.pinterest.state import Board, PinterestState

NAME_MAX = 180


def create_router(state: PinterestState) -> Router:
    return Router("/v5", route_handlers=[_account(state), *_boards(state), *_of_one_board(state)])


def _account(state: PinterestState) -> HTTPRouteHandler:
    @get("/user_account", sync_to_thread=False)
    def account(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "user_accounts:read", "read")
        known = state.accounts[grant.username]
        own = state.listed(grant.username)
        return document(
            {
                "id": known.account_id,
                "username": known.username,
                "account_type": known.account_type,
                "profile_image": f"{state.base_url}/avatar/{known.username}",
                "website_url": "",
                "business_name": known.business_name,
                "about": "",
                "board_count": sum(board.owner == known.username for board in state.boards.values()),
                "pin_count": len(own),
                "follower_count": 10,
                "following_count": 347,
                "monthly_views": 163,
            }
        )

    return account


def _boards(state: PinterestState) -> list[HTTPRouteHandler]:
    @get("/boards", sync_to_thread=False)
    def boards(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "boards:read", "read")
        own = [board for board in state.boards.values() if board.owner == grant.username]
        return page_of(request, [_board(state, board) for board in own])

    @post("/boards", status_code=201)
    async def add_board(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "boards:write", "write")
        body = await body_of(request)
        name = body.get("name")
        if not isinstance(name, str) or not 0 < len(name) <= NAME_MAX:
            raise invalid("Invalid request: name is required")
        if any(board.owner == grant.username and board.name == name for board in state.boards.values()):
            raise invalid("Sorry, but you already have a board with that name.")
        board_id = str(int.from_bytes(secrets.token_bytes(7)) + 10**17)
        board = Board(board_id, grant.username, name, state.clock.now(), str(body.get("privacy", "PUBLIC")))
        state.boards[board.board_id] = board
        return document(_board(state, board), 201)

    return [boards, add_board]


def _of_one_board(state: PinterestState) -> list[HTTPRouteHandler]:
    @get("/boards/{board_id:str}", sync_to_thread=False)
    def board(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "boards:read", "read")
        return document(_board(state, state.board_of(grant, str(request.path_params["board_id"]))))

    @get("/boards/{board_id:str}/sections", sync_to_thread=False)
    def sections(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "boards:read", "read")
        known = state.board_of(grant, str(request.path_params["board_id"])).sections
        return page_of(request, [{"id": section_id, "name": name} for section_id, name in known.items()])

    @get("/boards/{board_id:str}/pins", sync_to_thread=False)
    def pins(request: AnyRequest) -> Response[bytes]:
        grant = state.authenticate(request, "boards:read", "read")
        board = state.board_of(grant, str(request.path_params["board_id"]))
        return page_of(request, [document_of(state, pin) for pin in state.listed(grant.username, board.board_id)])

    return [board, sections, pins]


def _board(state: PinterestState, board: Board) -> dict[str, Any]:
    return {
        "id": board.board_id,
        "name": board.name,
        "description": "",
        "privacy": board.privacy,
        "owner": {"username": board.owner},
        "created_at": without_zone(board.created_at),
        "board_pins_modified_at": without_zone(board.created_at),
        "pin_count": len(state.listed(board.owner, board.board_id)),
        "follower_count": 13,
        "collaborator_count": 0,
        "media": {"image_cover_url": None, "pin_thumbnail_urls": []},
        "is_ads_only": False,
    }
