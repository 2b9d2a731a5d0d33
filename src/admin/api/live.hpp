// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a conversation needs beside its call: the world, a thread for the store, and when there is news.
#include "admin/api/call.hpp"
#include "auth/blocking_pool.hpp"
#include "net/environment.hpp"

namespace syncline::admin::api {

struct Live {
  net::Environment& environment;
  auth::BlockingPool& pool;
  service::Organisation& organisation;
  Control& control;

  /// Number of the latest change of a record, not older than a fifth of a second. Other programs write, too:
  /// nobody tells, so the store is asked, for all who wait together.
  net::Async<std::int64_t> last_change();
  /// Until there is a change after `seen`, or `deadline`.
  net::Async<void> wait_for_change(std::int64_t seen, SteadyTime deadline);
  /// Whether the token of the call still lets it in.
  net::Async<bool> is_still_valid(std::shared_ptr<Call> call);
  /// Sends what a handler made.
  net::asio::awaitable<void> send(Result<Answer> answer, net::Responder& responder);

  std::int64_t known_change = 0;
  SteadyTime known_at{};
};

}  // namespace syncline::admin::api
