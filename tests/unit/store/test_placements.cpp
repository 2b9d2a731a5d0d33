// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/placements.hpp"

#include "store_fixture.hpp"

namespace syncline::store {
namespace {

using Placements = StoreTest;

TEST_F(Placements, AreKeptWithTheirRequestUntilItIsAnswered) {
  const MailboxId anna = make_mailbox("anna@example.org");
  const MailboxId bo = make_mailbox("bo@example.org");
  const SystemTime now = clock_.now();
  const auto put = [&](const Placement& placement) {
    ASSERT_TRUE(act([&](Transaction& t) { return put_placement(t, placement); }));
  };
  const auto find = [&](MailboxId mailbox) {
    return read<std::optional<Placement>>([&](Transaction& t) { return find_placement(t, mailbox); });
  };
  const auto requested = [&] {
    std::vector<MailboxId> ids;
    for (const Placement& one :
         read<std::vector<Placement>>([](Transaction& t) { return list_requested_placements(t); }))
      ids.push_back(one.mailbox);
    return ids;
  };
  EXPECT_FALSE(find(anna));
  const LookRequest later{.at = now, .by = "vera", .reason = "ticket 7", .follow = true};
  Placement placement{.mailbox = anna,
                      .looked_at = now - std::chrono::hours(1),
                      .state = PlacementState::elsewhere,
                      .text = "it lives on Exchange 2013",
                      .facts = "{}",
                      .parked_at = now,
                      .parked_why = "it moved",
                      .request = later};
  put(placement);
  put({.mailbox = bo, .request = LookRequest{.at = now - std::chrono::minutes(1), .by = "bob"}});
  const auto kept = find(anna);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->looked_at, placement.looked_at);
  EXPECT_EQ(kept->state, PlacementState::elsewhere);
  EXPECT_EQ(kept->text, placement.text);
  EXPECT_EQ(kept->facts, "{}");
  EXPECT_EQ(kept->parked_at, now);
  EXPECT_EQ(kept->parked_why, "it moved");
  EXPECT_EQ(kept->request, later);
  EXPECT_EQ(find(bo)->looked_at, std::nullopt);
  EXPECT_EQ(requested(), (std::vector{bo, anna})) << "who asked first comes first";
  placement.request = std::nullopt;
  put(placement);
  EXPECT_EQ(find(anna)->request, std::nullopt);
  EXPECT_EQ(requested(), std::vector{bo});
  EXPECT_EQ(read<std::vector<Placement>>([](Transaction& t) { return list_placements(t); }).size(), 2U);
}

}  // namespace
}  // namespace syncline::store
