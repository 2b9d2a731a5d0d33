// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/smtp/driver/sent_copy.hpp"

#include "net/watchdog.hpp"

namespace syncline::smtp {

Async<std::optional<sync::RemoteRef>> await_sent(net::Environment& environment, const FindSent& find,
                                                 const SentMark& mark, SystemTime until,
                                                 std::chrono::milliseconds pause) {
  for (;;) {
    SentMark wanted = mark;
    auto found = co_await find(std::move(wanted));
    if (found && *found) co_return found;
    const SystemTime now = environment.clock.now();
    if (now >= until) co_return found;
    const auto span = std::min<std::chrono::milliseconds>(pause, until - now);
    auto slept = co_await environment.timers.sleep_until(net::deadline_after(environment.clock, span));
    if (!slept) co_return fail(std::move(slept.error()));
  }
}

}  // namespace syncline::smtp
