// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/smtp/channel.hpp"

namespace syncline::smtp {

net::Async<Reply> Channel::reply() {
  for (;;) {
    auto used = reader_.feed(connection_->buffered());
    if (!used) {
      connection_->close();
      co_return fail(std::move(used.error()));
    }
    connection_->consume(*used);
    if (reader_.complete()) break;
    auto more = co_await connection_->fill();
    if (!more) co_return fail(std::move(more.error()));
  }
  last_reply_ = clock_.steady_now();
  Reply reply = reader_.take();
  if (reply.code == 421) closing_ = true;
  co_return reply;
}

std::chrono::milliseconds Channel::idle() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady_now() - last_reply_);
}

}  // namespace syncline::smtp
