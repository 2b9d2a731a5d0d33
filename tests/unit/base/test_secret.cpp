// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <type_traits>

#include "base/secret.hpp"

namespace syncline {
namespace {

static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<Secret, std::string>);

TEST(Secret, WipesTheStringItTookOver) {
  std::string text = "a password long enough to live on the heap";
  const char* buffer = text.data();
  const Secret secret(std::move(text));
  EXPECT_EQ(secret.reveal(), "a password long enough to live on the heap");
  EXPECT_EQ(std::string_view(buffer, 10).find('p'), std::string_view::npos);
}

TEST(Secret, MovedFromIsEmpty) {
  Secret a{std::string_view("short")};
  const Secret b(std::move(a));
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): that is the promise
  EXPECT_EQ(b.reveal(), "short");
}

}  // namespace
}  // namespace syncline
