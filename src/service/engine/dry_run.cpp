// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/dry_run.hpp"

namespace syncline::service {
namespace {

constexpr std::string_view made_up_prefix = "dry-run/";

}  // namespace

Async<std::vector<sync::RemoteFolder>> DryRunDriver::folders() {
  return real_.folders();
}

Async<sync::FeedPage> DryRunDriver::pull(const sync::RemoteFolder& folder, std::string cursor,
                                         std::size_t most) {
  return real_.pull(folder, std::move(cursor), most);
}

Async<std::vector<std::string>> DryRunDriver::received_since(const sync::RemoteFolder& folder,
                                                             SystemTime from) {
  return real_.received_since(folder, from);
}

Async<std::vector<sync::RemoteRef>> DryRunDriver::list(const sync::RemoteFolder& folder) {
  return real_.list(folder);
}

Async<std::vector<Result<sync::RemoteItem>>> DryRunDriver::read(model::RecordKind kind,
                                                                std::vector<std::string> ids,
                                                                bool with_body) {
  // What was only said to be made is not there to be read.
  std::vector<std::string> real;
  for (const std::string& id : ids)
    if (!id.starts_with(made_up_prefix)) real.push_back(id);
  std::vector<Result<sync::RemoteItem>> answers;
  if (!real.empty()) {
    auto read = co_await real_.read(kind, std::move(real), with_body);
    if (!read) co_return fail(std::move(read.error()));
    answers = std::move(*read);
  }
  std::vector<Result<sync::RemoteItem>> results;
  std::size_t next = 0;
  for (const std::string& id : ids) {
    if (id.starts_with(made_up_prefix))
      results.push_back(fail(ErrorDomain::ews, "gone", "it was not made: this is a dry run"));
    else
      results.push_back(std::move(answers[next++]));
  }
  co_return results;
}

Async<bool> DryRunDriver::fetch_mime(std::string, sync::ContentSink&, std::uint64_t) {
  co_return false;
}

Async<void> DryRunDriver::fetch_attachment(std::string, sync::ContentSink&, std::uint64_t) {
  co_return Result<void>{};
}

Async<std::optional<sync::RemoteItem>> DryRunDriver::attached_message(std::string id) {
  return real_.attached_message(std::move(id));
}

Async<std::optional<sync::Driver::Found>> DryRunDriver::find(model::RecordKind kind, std::string search_key) {
  return real_.find(kind, std::move(search_key));
}

Async<sync::Applied> DryRunDriver::apply(const sync::WriteOrder& order, sync::Progress&,
                                         const sync::OpenContent&) {
  orders_.push_back(order);
  sync::Applied applied;
  applied.item = order.what == sync::WriteOrder::What::create || order.what == sync::WriteOrder::What::send
                     ? sync::RemoteRef{.id = std::string(made_up_prefix) + order.operation_id}
                     : order.item;
  co_return applied;
}

Async<sync::RemoteRef> DryRunDriver::unmark(sync::RemoteRef item, model::RecordKind) {
  co_return item;
}

Async<sync::Claim> DryRunDriver::claim(std::string organisation_id, std::string, bool take_over) {
  return look_at_claim_(std::move(organisation_id), take_over);
}

}  // namespace syncline::service
