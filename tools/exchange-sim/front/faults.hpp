// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Faults on demand: rules that say when, and what then. Made by tests in C++ or read from JSON (the control
// endpoint and script files use the same names).
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace exchange_sim {

enum class Action {
  delay,         ///< answers after `wait`
  cut,           ///< closes the connection when `offset` octets of the response (header included) are out
  abort_before,  ///< closes without handling the request
  abort_after,   ///< handles the request, then closes without an answer
  busy,          ///< ErrorServerBusy with the hint `wait` in `place`
  status,        ///< HTTP `status` with `text` as its body, `content_type` as its type
  unavailable,   ///< 503, Retry-After from `wait`
  insufficient_storage,  ///< 507, as for a request or answer that is larger than the server's room; not
                         ///< handled
  unauthorized,          ///< 401 whatever the credentials are
  ews_disabled,          ///< 403, form from `value`: "empty", "html", "fault"
  soap_fault,            ///< HTTP 500 with `code`, not handled
  response_code,  ///< every response message is an error with `code`; not handled. With `index`: handled, and
                  ///< only that message (from 0) becomes the error
  illegal_characters,  ///< in the text of `element` (default: the first text): `value` "reference" (&#x1;),
                       ///< "raw" (0x01), "surrogate" (&#xD800;), "utf8" (octets that are not UTF-8), or a
                       ///< literal to be inserted
  wrong_order,         ///< the children of `element` (default: the first item or response message) in reverse
  foreign_elements,    ///< elements of an unknown namespace between the children of every element
  unknown_value,     ///< the text of `element` (default: ResponseCode's siblings' first enumeration) becomes
                     ///< `value`
  set_text,          ///< the text of every `element` becomes `value`
  remove_element,    ///< every `element` is taken out
  rename_namespace,  ///< every `element` moves to namespace `value` ("messages", "types" or a URI)
  partial_page,      ///< at most `limit` entries in a page: the request's own limit is lowered before it is
                     ///< handled
  empty_listing,     ///< a listing that claims there is nothing
  html_page,         ///< 200 with an HTML sign-in page
  truncate,          ///< a complete HTTP response whose body ends after `offset` octets
  false_length,  ///< Content-Length says `offset`; the true body follows, then silence for `wait`, then the
                 ///< end
  gzip_bomb,     ///< Content-Encoding: gzip that inflates to `offset` octets
  deep_nesting,  ///< `limit` elements inside each other in the Body
  entity_bomb,   ///< a DOCTYPE with nested entities
  content_type,  ///< the right body as `content_type`
  dead_stream,   ///< streaming: from now on neither events nor heartbeats, the connection stays
  close_stream,  ///< streaming: ends without ConnectionStatus Closed
  error_subscription,  ///< streaming: the ids are answered as ErrorSubscriptionIds with `code`
  lose_events,         ///< streaming: events are dropped, heartbeats go on
};

std::string_view to_string(Action action) noexcept;

/// Where a busy answer carries its hint (the four places).
enum class BusyPlace {
  fault,       ///< SOAP fault, detail/MessageXml/Value[@Name='BackOffMilliseconds'], HTTP 500
  message,     ///< HTTP 200, the response message's MessageXml
  inner_code,  ///< HTTP 200, ErrorInternalServerError with the inner code ErrorServerBusy in MessageXml
  http,        ///< HTTP 503 with Retry-After
};

struct FaultRule {
  std::uint64_t id = 0;  ///< given by the book
  // When. Empty matches everything; several must all match.
  std::string site;
  std::string
      operation;  ///< EWS operation, or "token", "autodiscover-v2", "autodiscover-pox", "autodiscover-soap"
  std::string mailbox;                 ///< acted on
  std::string user;                    ///< authenticated as
  std::uint64_t skip = 0;              ///< so many matching requests pass first
  std::optional<std::uint64_t> times;  ///< fires at most so often; empty: always
  std::uint64_t every = 1;             ///< only each n-th of the matching requests
  double probability = 1.0;            ///< drawn from the book's seeded generator
  // What.
  Action action = Action::delay;
  std::chrono::milliseconds wait{0};
  std::uint64_t offset = 0;
  std::uint64_t limit = 0;
  std::optional<std::uint64_t> index;
  int http_status = 500;
  BusyPlace place = BusyPlace::fault;
  std::string code;
  std::string text;
  std::string element;
  std::string value;
  std::string content_type = "text/html; charset=utf-8";
  // Kept by the book.
  std::uint64_t seen = 0;
  std::uint64_t fired = 0;
};

/// One rule from a JSON object. Unknown names and actions are errors (domain input, "bad-rule").
syncline::Result<FaultRule> parse_fault_rule(std::string_view json);
std::string to_json(const FaultRule& rule);

/// What a rule is matched against.
struct FaultSubject {
  std::string_view site;
  std::string_view operation;
  std::string_view mailbox;
  std::string_view user;
};

class FaultBook {
 public:
  explicit FaultBook(std::uint64_t seed);
  /// Its id, from 1.
  std::uint64_t add(FaultRule rule);
  /// An array, one object, or one object a line. Nothing is added on an error.
  syncline::Result<std::vector<std::uint64_t>> add_json(std::string_view json);
  bool remove(std::uint64_t id);
  void clear() { rules_.clear(); }
  const std::vector<FaultRule>& rules() const noexcept { return rules_; }

  /// Counts the request against every rule, and gives those that fire, in the order they were added.
  std::vector<FaultRule> take(const FaultSubject& subject);

 private:
  std::vector<FaultRule> rules_;
  std::uint64_t last_id_ = 0;
  std::uint64_t random_state_;
};

}  // namespace exchange_sim
