// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/api/live.hpp"

#include <algorithm>

#include "admin/api/problem.hpp"
#include "base/log.hpp"
#include "store/records.hpp"

namespace syncline::admin::api {
namespace {

constexpr std::chrono::milliseconds look_pause{200};

}  // namespace

net::Async<std::int64_t> Live::last_change() {
  const SteadyTime now = environment.clock.steady_now();
  if (known_at != SteadyTime{} && now - known_at < look_pause) co_return known_change;
  known_at = now;
  service::Organisation* const asked = &organisation;
  auto ask = [asked]() -> Result<std::int64_t> {
    return asked->store().read<std::int64_t>(store::last_change);
  };
  auto last = co_await pool.run(std::move(ask));
  if (!last) co_return fail(std::move(last.error()));
  known_change = std::max(known_change, *last);
  co_return *last;
}

net::Async<void> Live::wait_for_change(std::int64_t seen, SteadyTime deadline) {
  for (;;) {
    auto last = co_await last_change();
    if (!last) co_return fail(std::move(last.error()));
    const SteadyTime now = environment.clock.steady_now();
    if (*last > seen || now >= deadline) co_return Result<void>{};
    const SteadyTime until = std::min(deadline, now + look_pause);
    auto slept = co_await environment.timers.sleep_until(until);
    if (!slept) co_return slept;
  }
}

net::Async<bool> Live::is_still_valid(std::shared_ptr<Call> call) {
  service::Organisation* const asked = &organisation;
  const store::ApiTokenId id = call->token().id;
  auto ask = [asked, id]() {
    return asked->store().read<bool>([&](store::Transaction& transaction) -> Result<bool> {
      auto token = store::find_api_token(transaction, id);
      if (!token) return fail(std::move(token.error()));
      return *token && (*token)->is_valid(asked->clock().now());
    });
  };
  auto valid = co_await pool.run(std::move(ask));
  co_return valid;
}

net::asio::awaitable<void> Live::send(Result<Answer> answer, net::Responder& responder) {
  net::Headers headers;
  headers.set("Cache-Control", "no-store");
  headers.set("X-Content-Type-Options", "nosniff");
  int status = 0;
  std::string body;
  if (answer) {
    if (answer->afterwards) answer->afterwards(control, *answer);
    status = answer->status;
    body = std::move(answer->body);
    if (!body.empty()) headers.set("Content-Type", answer->content_type);
    for (const auto& [name, value] : answer->header) headers.set(name, value);
  } else {
    const Error& error = answer.error();
    status = status_of(error);
    if (status >= 500) log::error("api", error.describe());
    if (status == 401) headers.set("WWW-Authenticate", "Bearer realm=\"syncline\"");
    if (const auto seconds = retry_after_of(error)) headers.set("Retry-After", std::to_string(*seconds));
    headers.set("Content-Type", std::string(problem_type));
    body = problem_json(status, error.code, detail_of(error));
  }
  static_cast<void>(co_await responder.respond(status, std::move(headers), std::move(body)));
}

}  // namespace syncline::admin::api
