// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/dry_run.hpp"

namespace syncline::service {

Async<std::vector<sync::RemoteFolder>> DryRunDriver::folders() {
  co_return co_await real_.folders();
}

Async<sync::FeedPage> DryRunDriver::pull(const sync::RemoteFolder& folder, std::string cursor) {
  co_return co_await real_.pull(folder, std::move(cursor));
}

Async<std::vector<std::string>> DryRunDriver::received_since(const sync::RemoteFolder& folder,
                                                             SystemTime from) {
  co_return co_await real_.received_since(folder, from);
}

Async<std::vector<sync::RemoteRef>> DryRunDriver::list(const sync::RemoteFolder& folder) {
  co_return co_await real_.list(folder);
}

Async<std::vector<Result<sync::RemoteItem>>> DryRunDriver::read(model::RecordKind kind,
                                                                std::vector<std::string> ids,
                                                                bool with_body) {
  co_return co_await real_.read(kind, std::move(ids), with_body);
}

Async<bool> DryRunDriver::fetch_mime(std::string, sync::ContentSink&, std::uint64_t) {
  co_return false;
}

Async<void> DryRunDriver::fetch_attachment(std::string, sync::ContentSink&, std::uint64_t) {
  co_return Result<void>{};
}

Async<std::optional<sync::Driver::Found>> DryRunDriver::find(model::RecordKind kind, std::string search_key) {
  co_return co_await real_.find(kind, std::move(search_key));
}

Async<sync::Applied> DryRunDriver::apply(const sync::WriteOrder& order, sync::Progress&,
                                         const sync::OpenContent&) {
  orders_.push_back(order);
  sync::Applied applied;
  applied.item = order.what == sync::WriteOrder::What::create || order.what == sync::WriteOrder::What::send
                     ? sync::RemoteRef{.id = "dry-run/" + order.operation_id}
                     : order.item;
  co_return applied;
}

Async<sync::RemoteRef> DryRunDriver::unmark(sync::RemoteRef item, model::RecordKind) {
  co_return item;
}

Async<sync::Claim> DryRunDriver::claim(std::string organisation_id, std::string organisation_name, bool) {
  sync::Claim claim;
  claim.ours = true;
  claim.owner_id = std::move(organisation_id);
  claim.owner_name = std::move(organisation_name);
  co_return claim;
}

}  // namespace syncline::service
