// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One request as a handler sees it: whose it is, what it asks for, all of it checked against its route; and
// the answer.
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/api/route.hpp"
#include "routing/rules/messages.hpp"
#include "service/organisation/apply.hpp"
#include "service/organisation/organisation.hpp"

namespace syncline::admin::api {

/// What the API asks of the daemon. On the server's thread.
struct Control {
  /// A run of this mailbox as soon as there is a place. False: it is not served.
  std::function<bool(const std::string& address)> sync_now = [](const std::string&) { return false; };
  /// Looks where those mailboxes live of which that was asked (service/organisation/look_requests).
  std::function<void()> look_for_requested = [] {};
  /// How mailboxes are watched, by address: {"by","since","state"}; "servers": how those hold us back.
  std::function<boost::json::object()> watched = [] { return boost::json::object(); };
};

struct Answer {
  int status = 200;
  std::string body = {};
  std::string content_type = std::string(json_body);
  std::vector<std::pair<std::string, std::string>> header = {};
  /// What is kept for an Idempotency-Key instead of `body`, where that holds a secret.
  std::optional<std::string> kept_body = std::nullopt;
  /// Run on the server's thread before the answer goes out.
  std::function<void(Control&, Answer&)> afterwards = nullptr;
};

Answer json_answer(const boost::json::value& value, int status = 200);
/// {"items":[…],"next":cursor or null}
Answer page_answer(boost::json::array items, const std::optional<std::string>& next);

class Call {
 public:
  /// `token` nullptr: of a route for everybody.
  Call(service::Organisation& organisation, const Route& route, std::shared_ptr<const store::ApiToken> token,
       net::ServerRequest request);

  service::Organisation& organisation() noexcept { return organisation_; }
  store::Store& store() noexcept { return organisation_.store(); }
  const Route& route() const noexcept { return route_; }
  const store::ApiToken& token() const noexcept { return *token_; }
  const net::ServerRequest& request() const noexcept { return request_; }
  const std::string& body() const noexcept { return request_.body; }
  /// After a secret was taken from it.
  void wipe_body() noexcept { wipe(request_.body); }
  SystemTime now() const { return organisation_.clock().now(); }

  /// Reads path, query and header as the route wants them. Errors (input): "unknown-parameter",
  /// "bad-parameter", "unsupported-media-type", "bad-header", "precondition-required".
  Result<void> read(std::vector<std::string> path_values);

  /// "token NAME (ID)", with the reason of the field Syncline-Reason.
  service::Actor actor() const;

  // Parameters.
  const std::string& path(std::string_view name) const { return path_.find(name)->second; }
  /// Error "not-found" for what is no id.
  Result<std::int64_t> id(std::string_view name = "id") const;
  std::optional<std::string> text(std::string_view name) const;
  std::optional<std::int64_t> number(std::string_view name) const;
  bool flag(std::string_view name) const { return text(name) == "true"; }
  int limit() const { return static_cast<int>(number("limit").value_or(100)); }
  rules::Language language() const;

  /// The body as an object with these members only; null members too. Errors (input): "bad-json",
  /// "unknown-member".
  Result<boost::json::object> object(const std::vector<std::string_view>& members) const;
  /// The same without a look at the members.
  Result<boost::json::object> any_object() const;

  // Pages: a cursor is opaque, and good for the query that gave it only.
  std::string cursor(std::string_view position) const;
  /// Empty: the first page. Error (input): "bad-cursor".
  Result<std::string> position() const;
  Result<std::int64_t> numbered_position() const;

  // What a mailbox owner may see.
  bool sees_all() const noexcept { return token_->role != store::ApiRole::mailbox_owner; }
  bool sees(std::string_view owner) const noexcept { return sees_all() || token_->owner == owner; }
  bool sees(const model::Mailbox& mailbox) const noexcept {
    return sees(mailbox.record_owner()) || sees(mailbox.address);
  }
  bool is(store::ApiRole role) const noexcept { return token_->role == role; }

  /// Error "precondition-failed" unless If-Match is absent, "*", or names `etag` (RFC 9110 section 13.1.1:
  /// compared strongly).
  Result<void> check_match(std::string_view etag) const;
  bool matches_anything() const;

  /// Keeps the answer for the Idempotency-Key, in the transaction of what was done. Nothing without a key.
  Result<void> remember(store::Transaction& transaction, const Answer& answer);
  bool is_remembered() const noexcept { return is_remembered_; }
  const std::optional<std::string>& idempotency_key() const noexcept { return key_; }
  /// SHA-256 of what was asked.
  std::string request_hash() const;

 private:
  Result<void> read_query(std::string_view query);
  Result<void> check_parameter(const Parameter& parameter, const std::string& value) const;
  Result<void> read_body_type();

  service::Organisation& organisation_;
  const Route& route_;
  std::shared_ptr<const store::ApiToken> token_;
  net::ServerRequest request_;
  std::map<std::string, std::string, std::less<>> path_;
  std::map<std::string, std::string, std::less<>> query_;
  std::optional<std::string> key_;
  bool is_remembered_ = false;
};

/// `"…"` of what a representation is made of.
std::string etag_of(const boost::json::value& value);
std::string etag_of(std::int64_t version);

/// RFC 7396, one document over another; nested deeper than a setting can be is left out.
void merge_patch(boost::json::object& target, const boost::json::object& patch, int depth = 0);

}  // namespace syncline::admin::api
