// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A few threads for calls that may block: GSSAPI asks a KDC over the network inside one call, a commit waits
// for the disk.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "net/async.hpp"

namespace syncline::auth {

class BlockingPool {
 public:
  /// 0 threads: calls run where they are made, for tests in virtual time. They begin with the first call.
  explicit BlockingPool(unsigned threads) : threads_(threads) {}
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;
  /// Waits for the calls under way; those not begun are dropped.
  ~BlockingPool() {
    if (pool_) {
      pool_->stop();
      pool_->join();
    }
  }

  /// Runs `call` (which returns Result<T> and owns all it touches) on one of the threads and comes back to
  /// the caller's executor. When the caller is cancelled the call goes on unheard: no library here can be
  /// interrupted.
  template <class Call>
  net::Async<typename std::invoke_result_t<Call>::value_type> run(Call call) {
    using Outcome = std::invoke_result_t<Call>;
    if (threads_ == 0) co_return call();
    struct State {
      State(net::asio::any_io_executor executor, Call&& wanted)
          : done(std::move(executor), 1), work(std::move(wanted)) {}
      net::asio::experimental::concurrent_channel<void(boost::system::error_code)> done;
      Call work;
      std::optional<Outcome> outcome;
    };
    co_await net::asio::this_coro::throw_if_cancelled(false);
    auto state = std::make_shared<State>(co_await net::asio::this_coro::executor, std::move(call));
    net::asio::post(threads(), [state] {
      state->outcome.emplace(state->work());
      state->done.try_send(boost::system::error_code());
    });
    const auto [failure] = co_await state->done.async_receive(net::asio::as_tuple(net::asio::use_awaitable));
    if (failure) co_return fail(ErrorDomain::net, "cancelled", "The operation was cancelled");
    co_return std::move(*state->outcome);
  }

  /// Runs `call`, which owns all it touches, and tells nobody. One thread takes its calls in their order.
  void post(std::function<void()> call) {
    if (threads_ == 0) return call();
    net::asio::post(threads(), std::move(call));
  }

  /// run() for a call that refers to what is the caller's: the caller's cancellation is not heard before
  /// the call has ended, and a caller that is destroyed, with its executor or before, waits for it.
  net::Async<void> run_to_its_end(std::function<Result<void>()> call);

 private:
  net::Async<void> attend(std::function<Result<void>()> call);
  net::asio::thread_pool& threads();

  const unsigned threads_;
  std::once_flag begun_;
  std::optional<net::asio::thread_pool> pool_;
};

}  // namespace syncline::auth
