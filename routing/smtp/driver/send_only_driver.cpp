// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/smtp/driver/send_only_driver.hpp"

namespace syncline::smtp {
namespace {

unexpected<Error> nothing_here() {
  return fail(ErrorDomain::mail, "gone", "the mailbox is sent from, and not read");
}

}  // namespace

Async<std::vector<sync::RemoteFolder>> SendOnlyDriver::folders() {
  co_return std::vector<sync::RemoteFolder>();
}
Async<sync::FeedPage> SendOnlyDriver::pull(const sync::RemoteFolder&, std::string, std::size_t) {
  co_return sync::FeedPage{};
}
Async<std::vector<std::string>> SendOnlyDriver::received_since(const sync::RemoteFolder&, SystemTime) {
  co_return std::vector<std::string>();
}
Async<std::vector<sync::RemoteRef>> SendOnlyDriver::list(const sync::RemoteFolder&) {
  co_return std::vector<sync::RemoteRef>();
}
Async<std::vector<Result<sync::RemoteItem>>> SendOnlyDriver::read(model::RecordKind,
                                                                  std::vector<std::string> ids, bool) {
  std::vector<Result<sync::RemoteItem>> gone;
  for (std::size_t i = 0; i < ids.size(); ++i) gone.emplace_back(nothing_here());
  co_return gone;
}
Async<bool> SendOnlyDriver::fetch_mime(std::string, sync::ContentSink&, std::uint64_t) {
  co_return false;
}
Async<void> SendOnlyDriver::fetch_attachment(std::string, sync::ContentSink&, std::uint64_t) {
  co_return nothing_here();
}
Async<std::optional<sync::RemoteItem>> SendOnlyDriver::attached_message(std::string) {
  co_return std::optional<sync::RemoteItem>();
}
Async<std::optional<sync::Driver::Found>> SendOnlyDriver::find(model::RecordKind, std::string) {
  co_return std::optional<Found>();
}
Async<sync::Applied> SendOnlyDriver::apply(const sync::WriteOrder& order, sync::Progress& progress,
                                           const sync::OpenContent& content) {
  if (order.what != sync::WriteOrder::What::send) co_return nothing_here();
  co_return co_await sender_.send(order, progress, content);
}
Async<sync::RemoteRef> SendOnlyDriver::unmark(sync::RemoteRef item, model::RecordKind) {
  co_return item;
}
Async<sync::Claim> SendOnlyDriver::claim(std::string, std::string, bool) {
  co_return sync::Claim{.ours = true};
}

}  // namespace syncline::smtp
