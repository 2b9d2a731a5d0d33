// SPDX-License-Identifier: GPL-3.0-or-later
// The feed of changes: a page, now or when there is something (long poll), or a stream of server-sent events.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "admin/api/call.hpp"
#include "admin/api/live.hpp"
#include "admin/api/visible_records.hpp"
#include "base/text.hpp"
#include "service/views/change_feed.hpp"
#include "store/records.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;
namespace asio = net::asio;

constexpr std::int64_t longest_wait_seconds = 60;
/// Between two signs of life of a stream: proxies cut what is silent for a minute.
constexpr std::chrono::seconds sign_of_life{15};
constexpr int events_at_once = 100;

json::object change_json(const service::FeedChange& change, const std::string& organisation_id) {
  return {{"token", service::feed_token(organisation_id, change.change)}, {"record", change.record}};
}

Result<std::int64_t> last_change(Call& call) {
  return call.store().read<std::int64_t>(store::last_change);
}

/// The place that a request begins at: a token, "now", or the beginning.
Result<service::FeedQuery> query_of(Call& call, const std::optional<std::string>& after) {
  service::FeedQuery query{.most = call.limit()};
  if (after && *after == "now") {
    auto last = last_change(call);
    if (!last) return fail(std::move(last.error()));
    query.after = *last;
  } else if (after && !after->empty()) {
    auto change = service::parse_feed_token(call.store().organisation_id(), *after);
    if (!change) return fail(std::move(change.error()));
    query.after = *change;
  }
  if (const auto kind = call.text("kind")) query.kind = model::parse_record_kind(*kind);
  if (const auto owner = call.text("owner")) query.owner = text::to_lower_ascii(*owner);
  // Whose somebody else's record is, is not told.
  if (!call.sees_all() && query.owner && *query.owner != call.token().owner)
    return fail(ErrorDomain::input, "bad-parameter", "owner: this token may ask for its own only");
  return query;
}

Result<service::FeedPage> page_of(Call& call, const service::FeedQuery& query) {
  return call.store().read<service::FeedPage>(
      [&](store::Transaction& transaction) -> Result<service::FeedPage> {
        // Each time: which mailboxes are the person's may change while a stream stands.
        auto visible = visible_records(transaction, call);
        if (!visible) return fail(std::move(visible.error()));
        service::FeedQuery own = query;
        own.reader = std::move(visible->reader);
        return service::read_feed(transaction, own);
      });
}

Answer page_answer(const service::FeedPage& page, const std::string& organisation_id) {
  json::array changes;
  for (const service::FeedChange& change : page.changes)
    changes.push_back(change_json(change, organisation_id));
  return json_answer(json::object{{"changes", std::move(changes)},
                                  {"next", service::feed_token(organisation_id, page.end)},
                                  {"more", page.has_more}});
}

asio::awaitable<void> poll(Live& live, std::shared_ptr<Call> call, net::Responder& responder) {
  auto begin = [call]() { return query_of(*call, call->text("after")); };
  auto query = co_await live.pool.run(std::move(begin));
  const auto seconds = std::chrono::seconds(call->number("wait").value_or(0));
  const SteadyTime deadline = live.environment.clock.steady_now() + seconds;
  while (query) {
    const service::FeedQuery wanted = *query;
    auto read = [call, wanted]() { return page_of(*call, wanted); };
    auto page = co_await live.pool.run(std::move(read));
    if (!page) {
      query = fail(std::move(page.error()));
      break;
    }
    if (page->changes.empty() && page->has_more) {
      // Nothing of what was looked at is wanted: go on, within this request.
      query->after = page->end;
      continue;
    }
    const bool is_late = live.environment.clock.steady_now() >= deadline;
    if (!page->changes.empty() || is_late) {
      Result<Answer> answer = page_answer(*page, call->store().organisation_id());
      co_await live.send(std::move(answer), responder);
      co_return;
    }
    query->after = page->end;
    auto waited = co_await live.wait_for_change(query->after, deadline);
    if (!waited) {
      query = fail(std::move(waited.error()));
      break;
    }
    auto valid = co_await live.is_still_valid(call);
    if (!valid)
      query = fail(std::move(valid.error()));
    else if (!*valid)
      query = fail(ErrorDomain::input, "unauthenticated", "This token has expired, or was revoked");
  }
  Result<Answer> refusal = fail(std::move(query.error()));
  co_await live.send(std::move(refusal), responder);
}

/// What a page is as events. One without data moves the place only (Last-Event-ID).
std::string events_of(const service::FeedPage& page, const std::string& organisation_id) {
  std::string text;
  for (const service::FeedChange& change : page.changes) {
    const json::object object = change_json(change, organisation_id);
    text += fmt::format("id: {}\nevent: change\ndata: {}\n\n",
                        std::string_view(object.at("token").get_string()), json::serialize(object));
  }
  if (page.changes.empty() || page.changes.back().change != page.end)
    text += fmt::format("id: {}\n\n", service::feed_token(organisation_id, page.end));
  return text;
}

asio::awaitable<void> stream(Live& live, std::shared_ptr<Call> call, net::Responder& responder) {
  auto begin = [call]() {
    const auto last_id = call->request().headers.find("Last-Event-ID");
    auto query = query_of(*call, last_id ? std::optional(std::string(*last_id)) : call->text("after"));
    if (query) query->most = events_at_once;
    return query;
  };
  auto query = co_await live.pool.run(std::move(begin));
  Result<service::FeedPage> page = fail(ErrorDomain::local, "not-read", "");
  if (query) {
    // Before anything is sent, so that a refusal is one.
    const service::FeedQuery wanted = *query;
    auto read = [call, wanted]() { return page_of(*call, wanted); };
    page = co_await live.pool.run(std::move(read));
  } else {
    page = fail(std::move(query.error()));
  }
  if (!page) {
    Result<Answer> refusal = fail(std::move(page.error()));
    co_await live.send(std::move(refusal), responder);
    co_return;
  }
  net::Headers headers;
  headers.set("Content-Type", "text/event-stream");
  headers.set("Cache-Control", "no-store");
  headers.set("X-Accel-Buffering", "no");
  auto begun = co_await responder.begin(200, std::move(headers));
  if (!begun) co_return;
  if (call->request().method == "HEAD") {
    static_cast<void>(co_await responder.finish());
    co_return;
  }
  // With the place at once: who is cut off before the first change goes on from here, not from a later
  // present.
  const std::string hello = fmt::format("retry: 2000\nid: {}\n\n",
                                        service::feed_token(call->store().organisation_id(), query->after));
  auto greeted = co_await responder.write(hello);
  if (!greeted) co_return;
  while (page) {
    const bool moved = page->end != query->after;
    query->after = page->end;
    // Whatever is not written within the server's patience ends the connection: a client that does not read
    // keeps no memory here but this page.
    auto valid = co_await live.is_still_valid(call);
    if (!valid || !*valid) break;
    const std::string text = moved ? events_of(*page, call->store().organisation_id()) : std::string(":\n\n");
    auto written = co_await responder.write(text);
    if (!written) co_return;
    if (!page->has_more) {
      const SteadyTime until = live.environment.clock.steady_now() + sign_of_life;
      auto waited = co_await live.wait_for_change(query->after, until);
      if (!waited) co_return;
    }
    const service::FeedQuery wanted = *query;
    auto read = [call, wanted]() { return page_of(*call, wanted); };
    page = co_await live.pool.run(std::move(read));
  }
  static_cast<void>(co_await responder.finish());
}

}  // namespace

void add_change_routes(std::vector<Route>& routes) {
  constexpr Roles lookers =
      applications | only(store::ApiRole::read_only) | only(store::ApiRole::mailbox_owner);
  routes.push_back(
      {.path = "/changes",
       .operation = "listChanges",
       .roles = lookers,
       .query = {text_parameter("after"),
                 {.name = "wait", .type = Parameter::Type::number, .least = 0, .most = longest_wait_seconds},
                 page_limit(),
                 kind_parameter(),
                 text_parameter("owner")},
       .refusals = {410},
       .conversation = poll});
  routes.push_back({.path = "/changes/stream",
                    .operation = "streamChanges",
                    .roles = lookers,
                    .query = {text_parameter("after"), kind_parameter(), text_parameter("owner")},
                    .refusals = {410},
                    .conversation = stream});
}

}  // namespace syncline::admin::api
