// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Reads that outlast passing trouble: a busy server, a lost connection, a time limit.
#include <optional>
#include <utility>

#include "ews/client/ews_client.hpp"

namespace syncline::ews {

/// How often a read is sent before its error is believed.
constexpr unsigned patient_attempts = 5;

constexpr bool is_passing(RetryClass retry) noexcept {
  return retry == RetryClass::after || retry == RetryClass::now;
}

/// For requests that change nothing (OperationKind read and sync). Sent again, after the wait that the server
/// or the budgets ask for, while the whole request or any message of its reply fails with passing trouble;
/// the last answer is returned as it is.
template <class Request>
net::Async<typename Request::Response> call_patiently(EwsClient& client, Request request) {
  for (unsigned attempt = 1;; ++attempt) {
    Request copy = request;
    auto reply = co_await client.call(std::move(copy));
    std::optional<Error> trouble;
    if (!reply) {
      trouble = reply.error();
    } else {
      for (const auto& message : reply->messages) {
        if (message.ok()) continue;
        Error error = to_error(message);
        if (is_passing(error.retry)) trouble = std::move(error);
      }
    }
    if (!trouble || !is_passing(trouble->retry) || attempt >= patient_attempts) co_return reply;
    auto waited = co_await client.budgets()->back_off(*trouble, attempt);
    if (!waited) co_return fail(std::move(waited.error()));
  }
}

}  // namespace syncline::ews
