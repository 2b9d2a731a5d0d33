// SPDX-License-Identifier: GPL-3.0-or-later
#include "auth/blocking_pool.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <future>

namespace syncline::auth {
namespace {

namespace asio = net::asio;

/// What the pool's thread has of a call. It ends by a write to a descriptor of its own: the caller's executor
/// may be on its way out, and nothing of it may be touched.
struct Call {
  std::function<Result<void>()> work;
  std::optional<Result<void>> outcome;  ///< empty: the pool was stopped before
  int ended = -1;                       ///< eventfd(2)
  ~Call() {
    if (ended >= 0) ::close(ended);
  }
};

/// Said when the call has ended or is dropped, whichever it is.
class Notice {
 public:
  explicit Notice(std::shared_ptr<Call> call) : call_(std::move(call)) {}
  Notice(Notice&&) noexcept = default;
  ~Notice() {
    if (!call_) return;
    const std::uint64_t one = 1;
    static_cast<void>(!::write(call_->ended, &one, sizeof one));
  }
  void carry_out() { call_->outcome.emplace(call_->work()); }
  std::future<void> gone() { return promise_.get_future(); }

 private:
  std::promise<void> promise_;  ///< what waits for it is released last of all
  std::shared_ptr<Call> call_;
};

struct Attendance {
  std::future<void> ended;
  ~Attendance() { ended.wait(); }
};

}  // namespace

asio::thread_pool& BlockingPool::threads() {
  std::call_once(begun_, [this] { pool_.emplace(threads_); });
  return *pool_;
}

net::Async<void> BlockingPool::run_to_its_end(std::function<Result<void>()> call) {
  if (threads_ == 0) co_return call();
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto attended = attend(std::move(call));
  auto deaf = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
  auto done = asio::co_spawn(executor, std::move(attended), std::move(deaf));
  co_return co_await std::move(done);
}

net::Async<void> BlockingPool::attend(std::function<Result<void>()> work) {
  auto call = std::make_shared<Call>();
  call->work = std::move(work);
  call->ended = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int own = call->ended < 0 ? -1 : ::dup(call->ended);
  if (own < 0) co_return call->work();  // out of descriptors: in place, then
  asio::posix::stream_descriptor ended(co_await asio::this_coro::executor, own);
  Notice notice(call);
  Attendance attendance{notice.gone()};
  asio::post(threads(), [notice = std::move(notice)]() mutable { notice.carry_out(); });
  const auto [failure] = co_await ended.async_wait(asio::posix::stream_descriptor::wait_read,
                                                   asio::as_tuple(asio::use_awaitable));
  attendance.ended.wait();
  if (failure || !call->outcome) co_return fail(ErrorDomain::net, "cancelled", "The operation was cancelled");
  co_return std::move(*call->outcome);
}

}  // namespace syncline::auth
