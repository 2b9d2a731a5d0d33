// SPDX-License-Identifier: GPL-3.0-or-later
// What is written is what was meant, for every reader; and never more than that.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "base/random.hpp"
#include "base/text.hpp"
#include "mime/compose.hpp"
#include "mime/message_ids.hpp"
#include "mime/reader.hpp"

namespace syncline::mime {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Draft simple() {
  Draft draft;
  draft.from = {{"Ann", "ann@example.com"}};
  draft.to = {{"", "bob@example.net"}};
  draft.subject = "Hello";
  draft.date = *parse_date("Sun, 22 Nov 2026 10:30:15 +0100");
  draft.message_id = "<1@example.com>";
  draft.text = "Hi\n";
  return draft;
}

DraftFile file(std::string name, std::string type, std::string octets) {
  const auto kept = std::make_shared<std::string>(std::move(octets));
  return {
      .name = std::move(name), .type = std::move(type), .open = [kept]() -> Result<std::unique_ptr<Source>> {
        struct Holding final : Source {
          explicit Holding(std::shared_ptr<std::string> text) : kept(std::move(text)), source(*kept) {}
          std::uint64_t size() const override { return source.size(); }
          Result<std::size_t> read(std::span<char> buffer) override {
            return source.read(buffer.first(std::min<std::size_t>(buffer.size(), 1'000)));
          }
          Result<void> rewind() override { return source.rewind(); }
          std::shared_ptr<std::string> kept;
          MemorySource source;
        };
        return std::make_unique<Holding>(kept);
      }};
}

/// Lines of a message that is to be sent: CRLF alone ends them, and none is longer than 998.
void expect_good_lines(std::string_view octets, bool ascii) {
  std::size_t start = 0;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (octets[i] == '\r') {
      ASSERT_TRUE(i + 1 < octets.size() && octets[i + 1] == '\n') << "bare CR at " << i;
    } else if (octets[i] == '\n') {
      ASSERT_TRUE(i > 0 && octets[i - 1] == '\r') << "bare LF at " << i;
      ASSERT_LE(i - start, 999U);
      start = i + 1;
    }
    ASSERT_NE(octets[i], '\0');
    if (ascii) {
      ASSERT_LT(static_cast<unsigned char>(octets[i]), 0x80) << "at " << i;
    }
  }
  EXPECT_TRUE(octets.ends_with("\r\n"));
}

std::string write(const Draft& draft, const ComposeOptions& options = {}) {
  StringSink sink;
  const auto done = compose(draft, options, sink);
  EXPECT_TRUE(done) << done.error().describe();
  expect_good_lines(sink.octets, !options.utf8 && !options.eight_bit);
  const auto size = composed_size(draft, options);
  EXPECT_TRUE(size);
  EXPECT_EQ(size.value_or(0), sink.octets.size());
  return sink.octets;
}

Message reread(const std::string& octets) {
  auto message = read_message(octets);
  EXPECT_TRUE(message);
  EXPECT_THAT(message->defects.list(), IsEmpty()) << octets;
  return *std::move(message);
}

std::string error_of(const Draft& draft, const ComposeOptions& options = {}) {
  StringSink sink;
  const auto done = compose(draft, options, sink);
  EXPECT_EQ(sink.octets, "");
  return done ? "none" : done.error().code;
}

TEST(Composing, WritesAPlainMessagePlainly) {
  EXPECT_EQ(write(simple()),
            "Date: Sun, 22 Nov 2026 10:30:15 +0100\r\n"
            "From: Ann <ann@example.com>\r\n"
            "To: bob@example.net\r\n"
            "Subject: Hello\r\n"
            "Message-ID: <1@example.com>\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=\"us-ascii\"\r\n"
            "Content-Transfer-Encoding: 7bit\r\n"
            "\r\n"
            "Hi\r\n");
}

TEST(Composing, IsReadAgainAsItWasMeant) {
  for (const bool utf8 : {false, true}) {
    for (const bool eight_bit : {false, true}) {
      Draft draft = simple();
      draft.from = {{"Doe, J\u00F6rg \"Joe\"", "joerg@example.com"}};
      draft.sender = Mailbox{"Office", "office@example.com"};
      draft.to = {{"\u65E5\u672C\u8A9E\u306E\u540D\u524D\u306F\u9577\u3044\u3082\u306E\u3067\u3059\u304B"
                   "\u3089\u4E8C\u884C\u306B\u306A\u308A\u307E\u3059",
                   "nihon@example.net"},
                  {"", "plain@example.net"},
                  {"=?utf-8?Q?no?=", "odd@example.net"}};
      draft.cc = {{"C", "c@example.net"}};
      draft.bcc = {{"Secret", "secret@example.net"}};
      draft.reply_to = {{"", "reply@example.com"}};
      draft.subject =
          "Gr\u00FC\u00DFe \u2014 a subject that is long enough to need a second line, and even a third of "
          "them \U0001F600";
      draft.in_reply_to = {"<0@example.net>"};
      for (int i = 0; i < 20; ++i)
        draft.references.push_back("<reference-number-" + std::to_string(i) + "@example.net>");
      draft.text = "Sch\u00F6n\n\nFrom here\n.\n" + std::string(3'000, 'x') + "\n";
      draft.html = "<p>Sch\u00F6n <img src=\"cid:pic@x\"></p>";
      draft.inline_files = {file("pic.png", "image/png", std::string(1'000, '\xFE'))};
      draft.inline_files[0].content_id = "pic@x";
      draft.attachments = {
          file("K\u00F6rper \u65E5\u672C\u8A9E\u306E\u540D\u524D\u306F\u9577\u3044\u3082\u306E.pdf",
               "application/pdf", "Hello"),
          file("plain \"a\".txt", "text/plain", ""), file("", "nonsense", std::string(70'000, '\0'))};
      draft.importance = Importance::high;
      draft.sensitivity = Sensitivity::confidential;
      draft.keywords = {"red", "bl\u00E4u"};
      draft.extra_fields = {{"X-Syncline-Operation", "op-17"}};
      const std::string octets = write(draft, {.utf8 = utf8, .eight_bit = eight_bit});
      EXPECT_THAT(octets, Not(HasSubstr("ecret")));
      EXPECT_EQ(octets, write(draft, {.utf8 = utf8, .eight_bit = eight_bit}));

      const Message message = reread(octets);
      EXPECT_EQ(*message.from, draft.from);
      EXPECT_THAT(*message.sender, ElementsAre(*draft.sender));
      EXPECT_EQ(*message.to, draft.to);
      EXPECT_EQ(*message.cc, draft.cc);
      EXPECT_EQ(message.bcc, std::nullopt);
      EXPECT_EQ(*message.reply_to, draft.reply_to);
      EXPECT_EQ(message.subject, draft.subject);
      EXPECT_EQ(message.date, draft.date);
      EXPECT_EQ(message.message_id, draft.message_id);
      EXPECT_EQ(message.in_reply_to, "<0@example.net>");
      EXPECT_THAT(read_message_ids(*message.references), ElementsAreArray(draft.references));
      EXPECT_EQ(message.text->value, *draft.text);
      EXPECT_EQ(message.html->value, *draft.html);
      EXPECT_EQ(message.importance, draft.importance);
      EXPECT_EQ(message.sensitivity, draft.sensitivity);
      EXPECT_EQ(message.keywords, draft.keywords);
      EXPECT_EQ(message.header("X-Syncline-Operation"), "op-17");
      ASSERT_EQ(message.attachments.size(), 4U);
      EXPECT_TRUE(message.attachments[0].is_inline);
      EXPECT_EQ(message.attachments[0].content_id, "pic@x");
      EXPECT_EQ(message.attachments[0].size, 1'000U);
      EXPECT_EQ(message.attachments[1].name, draft.attachments[0].name);
      EXPECT_EQ(message.attachments[1].size, 5U);
      EXPECT_EQ(message.attachments[2].name, "plain \"a\".txt");
      EXPECT_EQ(message.attachments[2].size, 0U);
      EXPECT_EQ(message.attachments[3].type, "application/octet-stream");
      EXPECT_EQ(message.attachments[3].size, 70'000U);
    }
  }
}

TEST(Composing, KeepsBccInTheSendersOwnCopyAlone) {
  Draft draft = simple();
  draft.bcc = {{"Secret", "secret@example.net"}};
  EXPECT_THAT(write(draft), Not(HasSubstr("ecret")));
  EXPECT_THAT(write(draft, {.keep_bcc = true}), HasSubstr("Bcc: Secret <secret@example.net>\r\n"));
}

TEST(Composing, SaysNobodyWhereThereAreOnlyBlindCopies) {
  Draft draft = simple();
  draft.to.clear();
  const std::string octets = write(draft);
  EXPECT_THAT(octets, HasSubstr("To: undisclosed-recipients:;\r\n"));
  EXPECT_THAT(*reread(octets).to, IsEmpty());
}

TEST(Composing, LetsNothingBecomeAnotherLine) {
  const std::string evil = "x\r\nBcc: victim@example.org\r\n\r\nbody\n\0y";
  Draft draft = simple();
  draft.subject = evil;
  draft.from[0].name = evil;
  draft.keywords = {evil};
  draft.attachments = {file(evil, "text/plain\r\nX-Evil: 1", "octets")};
  draft.attachments[0].content_id = evil;
  const std::string octets = write(draft);
  EXPECT_THAT(octets, Not(HasSubstr("\nBcc:")));
  EXPECT_THAT(octets, Not(HasSubstr("\nX-Evil")));
  const Message message = reread(octets);
  EXPECT_EQ(message.subject, "x  Bcc: victim@example.org    body");
  EXPECT_EQ(message.attachments.at(0).type, "application/octet-stream");
  EXPECT_EQ(message.attachments[0].content_id, "");
}

TEST(Composing, RefusesWhatIsNoAddress) {
  for (const char* address : {"", "nobody", "@example.com", "a@", "a b@example.com", "a@b\r\nBcc: c@d.test",
                              "a@b>, <c@d.test", "a@b,c@d", "<a@b.test>", "a@exa mple.com", "\"a@b.test",
                              "\"a\r\n\"@b.test", "a\xFF@b.test", "a(c)@b.test"}) {
    Draft draft = simple();
    draft.to = {{"", address}};
    EXPECT_EQ(error_of(draft), "bad-address") << address;
  }
  for (const char* address : {"a@b", "a.b+c@example.com", "\"john doe\"@example.com", "o'neil@example.com",
                              "a@[192.0.2.1]", ".a..b.@docomo.test"}) {
    Draft draft = simple();
    draft.to = {{"", address}};
    const auto message = read_message(write(draft));
    ASSERT_TRUE(message);
    EXPECT_THAT(*message->to, ElementsAre(draft.to[0]));
  }
}

TEST(Composing, RefusesOwnFieldsThatAreNone) {
  const auto with = [](std::string name, std::string value) {
    Draft draft = simple();
    draft.extra_fields = {{std::move(name), std::move(value)}};
    return error_of(draft);
  };
  EXPECT_EQ(with("X-Own", "a\r\nBcc: b@c.test"), "header-injection");
  EXPECT_EQ(with("X-Own", "a\nb"), "header-injection");
  EXPECT_EQ(with("X-Own:\r\nBcc", "a"), "bad-header-name");
  EXPECT_EQ(with("", "a"), "bad-header-name");
  EXPECT_EQ(with("X Own", "a"), "bad-header-name");
  EXPECT_EQ(with("bcc", "a"), "bad-header-name");
  EXPECT_EQ(with("Content-Type", "a"), "bad-header-name");
}

TEST(Composing, RefusesAMessageWithoutSenderOrId) {
  Draft draft = simple();
  draft.from.clear();
  EXPECT_EQ(error_of(draft), "missing-from");
  for (const char* id : {"", "1@example.com", "<a b@c>", "<a@b>\r\nBcc: x@y.test", "<a@b><c@d>", "<>"}) {
    draft = simple();
    draft.message_id = id;
    EXPECT_EQ(error_of(draft), "bad-message-id") << id;
  }
}

TEST(Composing, LeavesOutOthersIdsThatAreNone) {
  Draft draft = simple();
  draft.in_reply_to = {"no id\r\nBcc: x@y.test"};
  draft.references = {"<good@x>", "bad", "<b\r\nad@x>", "<" + std::string(2'000, 'x') + "@x>"};
  const Message message = reread(write(draft));
  EXPECT_EQ(message.in_reply_to, std::nullopt);
  EXPECT_EQ(message.references, "<good@x>");
  draft.references.clear();
  for (int i = 0; i < 500; ++i) draft.references.push_back("<" + std::to_string(i) + "@x>");
  const auto kept = read_message_ids(*reread(write(draft)).references);
  EXPECT_EQ(kept.size(), 100U);
  EXPECT_EQ(kept.front(), "<0@x>");
  EXPECT_EQ(kept.back(), "<499@x>");
}

TEST(Composing, SendsInternationalAddressesAsTheServerCan) {
  Draft draft = simple();
  draft.to = {{"", "bob@b\u00FCcher.example"}};
  EXPECT_THAT(write(draft), HasSubstr("To: bob@xn--bcher-kva.example\r\n"));
  EXPECT_THAT(write(draft, {.utf8 = true}), HasSubstr("To: bob@b\u00FCcher.example\r\n"));
  EXPECT_FALSE(needs_utf8(draft.to[0]));
  draft.to = {{"", "j\u00F6rg@example.com"}};
  EXPECT_TRUE(needs_utf8(draft.to[0]));
  EXPECT_EQ(error_of(draft), "needs-smtputf8");
  EXPECT_THAT(*reread(write(draft, {.utf8 = true})).to, ElementsAre(draft.to[0]));
}

TEST(Composing, KeepsAttachedMessagesAsTheyAreOrAsFiles) {
  Draft draft = simple();
  const std::string inner = "Subject: in\n\nbody\n";
  draft.attachments = {file("in.eml", "message/rfc822", inner)};
  Message message = reread(write(draft));
  EXPECT_EQ(message.attachments.at(0).type, "message/rfc822");
  EXPECT_EQ(message.attachments[0].size, inner.size() + 3);  // CRLF

  draft.attachments = {file("in", "message/rfc822", "Subject: in\n\n" + std::string(2'000, 'x'))};
  message = reread(write(draft));
  EXPECT_EQ(message.attachments.at(0).type, "application/octet-stream");
  EXPECT_EQ(message.attachments[0].name, "in.eml");

  draft.attachments = {file("", "message/rfc822", "Subject: in\n\n\xC3\xB6\n")};
  EXPECT_EQ(reread(write(draft)).attachments.at(0).name, "message.eml");
  EXPECT_EQ(reread(write(draft, {.eight_bit = true})).attachments.at(0).type, "message/rfc822");
}

TEST(Composing, CutsLongNamesButKeepsTheirEndings) {
  Draft draft = simple();
  std::string name;
  for (int i = 0; i < 500; ++i) name += "\u00F6";
  draft.attachments = {file(name + ".pdf", "application/pdf", "x"),
                       file(std::string(4'000, 'n'), "application/pdf", "x")};
  const Message message = reread(write(draft));
  EXPECT_TRUE(message.attachments.at(0).name.ends_with("\u00F6.pdf"));
  EXPECT_LE(message.attachments[0].name.size(), 255U);
  EXPECT_EQ(message.attachments.at(1).name.size(), 255U);
}

TEST(Composing, EndsWhereAFileIsNotAsLongAsItSaid) {
  struct Lying final : Source {
    std::uint64_t size() const override { return 10; }
    Result<std::size_t> read(std::span<char> buffer) override {
      if (left == 0) return std::size_t{0};
      --left;
      buffer[0] = 'x';
      return std::size_t{1};
    }
    Result<void> rewind() override { return {}; }
    int left = 0;
  };
  for (const int length : {9, 11}) {
    Draft draft = simple();
    draft.attachments = {
        {.name = "a", .type = "image/png", .open = [length]() -> Result<std::unique_ptr<Source>> {
           auto source = std::make_unique<Lying>();
           source->left = length;
           return source;
         }}};
    StringSink sink;
    const auto done = compose(draft, {}, sink);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, "source-changed");
  }
  Draft draft = simple();
  draft.attachments = {{.name = "a", .open = []() -> Result<std::unique_ptr<Source>> {
                          return fail(ErrorDomain::local, "gone", "gone");
                        }}};
  StringSink sink;
  EXPECT_EQ(compose(draft, {}, sink).error().code, "gone");
}

TEST(Composing, TakesLittleMemoryForABigFile) {
  struct Endless final : Source {
    std::uint64_t size() const override { return std::uint64_t{32} << 20; }
    Result<std::size_t> read(std::span<char> buffer) override {
      const std::size_t count = std::min<std::uint64_t>(buffer.size(), left);
      std::fill_n(buffer.begin(), count, 'x');
      left -= count;
      return count;
    }
    Result<void> rewind() override { return {}; }
    std::uint64_t left = std::uint64_t{32} << 20;
  };
  struct Counting final : Sink {
    Result<void> write(std::string_view octets) override {
      count += octets.size();
      return {};
    }
    std::uint64_t count = 0;
  };
  Draft draft = simple();
  draft.attachments = {{.name = "big", .open = []() -> Result<std::unique_ptr<Source>> {
                          return std::make_unique<Endless>();
                        }}};
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  Counting sink;
  ASSERT_TRUE(compose(draft, {}, sink));
  EXPECT_EQ(sink.count, *composed_size(draft, {}));
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 8 * 1024);
}

TEST(Composing, AnyTextsAreReadAgain) {
  SeededRandom random(31);
  const std::string_view pieces[] = {
      "a",
      "word",
      " ",
      "  ",
      "\t",
      "\r\n",
      "\n",
      "\u00F6",
      "\u65E5",
      "\U0001F600",
      "=?",
      "?=",
      "=?utf-8?Q?x?=",
      "\"",
      "\\",
      "<",
      ">",
      ",",
      "@",
      ";",
      ":",
      "(",
      ")",
      ".",
      "--=_",
      "From ",
      "\x01",
      "\xFF",
      "=",
      "_",
      "%",
      "aVeryLongWordThatGoesOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOn"};
  const auto text = [&](std::uint64_t most) {
    std::string out;
    for (std::uint64_t i = random.below(most); i > 0; --i) out += pieces[random.below(std::size(pieces))];
    return out;
  };
  /// As it can be meant: controls as spaces, valid, blanks inside as they are.
  const auto meant = [](const std::string& given) {
    std::string spaced = given;
    for (char& c : spaced)
      if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    return text::to_xml_text(text::trim(spaced));
  };
  for (int round = 0; round < 400; ++round) {
    Draft draft = simple();
    draft.subject = text(40);
    draft.from[0].name = text(20);
    draft.text = text(200);
    if (random.below(2) == 0) draft.html = text(200);
    draft.attachments = {file(text(10), "image/png", text(100))};
    const ComposeOptions options{.utf8 = random.below(2) == 0, .eight_bit = random.below(2) == 0};
    const Message message = reread(write(draft, options));
    EXPECT_EQ(message.subject, meant(draft.subject)) << text::escape_for_display(draft.subject);
    ASSERT_EQ(message.from->size(), 1U);
    EXPECT_EQ(message.from->at(0).address, "ann@example.com");
    EXPECT_EQ(message.from->at(0).name, meant(draft.from[0].name))
        << text::escape_for_display(draft.from[0].name);
    EXPECT_EQ(message.attachments.at(0).name, meant(draft.attachments[0].name))
        << text::escape_for_display(draft.attachments[0].name);
    if (HasFailure()) return;
  }
}

TEST(NewMessageId, IsOneAndNeverTheSame) {
  SeededRandom random(3);
  const std::string one = new_message_id(random, "example.com");
  EXPECT_TRUE(is_message_id(one, false));
  EXPECT_TRUE(one.ends_with("@example.com>"));
  EXPECT_NE(one, new_message_id(random, "example.com"));
  EXPECT_TRUE(new_message_id(random, "evil>\r\n").ends_with("@localhost>"));
}

}  // namespace
}  // namespace syncline::mime
