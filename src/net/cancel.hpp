// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Cancelling a spawned coroutine without touching freed memory.
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <memory>

#include "net/async.hpp"

namespace syncline::net {

/// Emits `signal`, which must live in `owner`, on the executor. In Boost 1.81 the handler that co_spawn puts into the
/// signal's slot passes an emission on by dispatch() with a bare pointer to itself: at once on the executor's own thread,
/// but later when emitted from outside (a destructor after run() has returned). A second emission could then find the
/// handler gone, because the first one had ended the coroutine. On the executor there is no such gap.
inline void emit_cancellation(const asio::any_io_executor& executor, asio::cancellation_signal& signal,
                              std::shared_ptr<void> owner) {
  asio::post(executor, [&signal, owner = std::move(owner)] { signal.emit(asio::cancellation_type::all); });
}

}  // namespace syncline::net
