"""Bodies of /api/scanner. Field order is the contract's."""

from pydantic import BaseModel, ConfigDict

from target.schemas.fields import AnsweredTime, Finite, StorableText, TickerList


class ScannerInfo(BaseModel):
    """One kind of scan."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    description: str
    signals: list[str]
    parameters: list[str]


class ScannerOverview(BaseModel):
    """What can be scanned, and how the latest scan went."""

    scanners: list[ScannerInfo]
    universes: list[str]
    last_scan: AnsweredTime | None
    status: str


class ScanOrder(BaseModel):
    """What to scan for; nothing is bounded. No custom tickers, or an empty list, means the universe's."""

    scanner_type: StorableText = "quallamaggie"
    universe: StorableText = "sp500"
    min_price: Finite = 5.0
    max_price: Finite = 500.0
    min_volume: int = 100000
    custom_tickers: TickerList | None = None


class ScanStarted(BaseModel):
    """The receipt of a scan."""

    status: str = "started"
    scanner_type: str
    universe: str
    message: str
    timestamp: AnsweredTime


class ScanStatus(BaseModel):
    """How the latest scan went: idle, running, completed or `failed: …`; results are those of the last completed."""

    status: str
    has_results: bool
    last_scan: AnsweredTime | None
    results_count: int


class StockDetails(BaseModel):
    """What the score of a stock is made of; `rs_rank` is from 1 to 100."""

    adr_pct: float
    rs_rank: int
    pattern: str


class ScannedStock(BaseModel):
    """One stock that a scan found; the volume is null where it is not known."""

    ticker: str
    name: str
    price: float
    change_pct: float
    volume: int | None
    signal: str
    score: float
    details: StockDetails


class NoScan(BaseModel):
    """What is answered until a scan has been completed."""

    results: list[ScannedStock] = []
    message: str = "No scan has been run yet."


class NoResults(NoScan):
    """The same, of a list of results."""

    generated_at: AnsweredTime | None = None


class NoFlags(NoScan):
    """The same, with what would be looked for."""

    criteria: dict[str, str | bool]


class AppliedFilters(BaseModel):
    """The filters of the request as they were applied."""

    signal: str | None
    min_score: float | None
    limit: int


class ScanResults(BaseModel):
    """The stocks of the latest scan that match; `total_found` counts them before the limit."""

    results: list[ScannedStock]
    total_found: int
    generated_at: AnsweredTime
    scanner_type: str
    filters_applied: AppliedFilters


class ScanFilters(BaseModel):
    """The bounds of a scan."""

    min_price: float
    max_price: float
    min_volume: int


class CompleteScan(BaseModel):
    """A scan as a whole."""

    generated_at: AnsweredTime
    scanner_type: str
    universe: str
    tickers_scanned: int
    results_found: int
    filters: ScanFilters
    stocks: list[ScannedStock]
    retrieved_at: AnsweredTime
