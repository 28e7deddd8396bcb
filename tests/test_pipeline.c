/* wrap: calloc reallocarray strdup strndup */
#include "cli/pipeline.h"

#include <errno.h>

#include "lib/err.h"
#include "tests/faults.h"
#include "tests/scratch_dir.h"

FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)
FAULT(void *, reallocarray, (void *at, size_t count, size_t size),
      (at, count, size), ENOMEM, NULL)
FAULT(char *, strdup, (const char *text), (text), ENOMEM, NULL)
FAULT(char *, strndup, (const char *text, size_t size), (text, size), ENOMEM,
      NULL)

static const char whole[] =
	"networks: {face: face.mx, age: /nets/age.mx}\n"
	"stages:\n"
	"  - name: tell\n"
	"    network: age\n"
	"    after: [of-each]\n"
	"    when:\n"
	"      of-each.score: {ge: 0.5, lt: 0.9}\n"
	"      face.label: person\n"
	"      of-each.output_1: {ne: -3}\n"
	"    mode: opportunistic\n"
	"    chance: 0.25\n"
	"  - name: of-each\n"
	"    network: age\n"
	"    each: face\n"
	"    grow: 1.5\n"
	"    at-once: 3\n"
	"    answer: {output: 1, softmax: true}\n"
	"    labels: [young, old]\n"
	"  - name: face\n"
	"    detect: {format: center, scores: 2, boxes: 3,\n"
	"      threshold: 0.7, nms: 0.3, most: 5,\n"
	"      background: none, pixels: true,\n"
	"      only: person}\n";

static int read_text(struct scratch_dir *dir, const char *text,
		     struct mx_pipeline *out, struct mx_err *err)
{
	scratch_dir_put(dir, "p.yaml", text, strlen(text));
	return mx_pipeline_read(out, dir->file, NULL, err);
}

static void expect_tell(const struct mx_pipeline_stage *stage)
{
	assert_string_equal(stage->name, "tell");
	assert_int_equal(stage->line, 3);
	assert_int_equal(stage->after_count, 2);
	assert_int_equal(stage->after[0], 1);
	assert_int_equal(stage->after[1], 0);
	assert_int_equal(stage->each, MX_CONTEXT_NONE);
	assert_int_equal(stage->at_once, 1);
	assert_true(stage->opportunistic);
	assert_true(stage->chance == 0.25);
	assert_int_equal(stage->output, MX_CONTEXT_NONE);
	assert_int_equal(stage->condition_count, 4);
	assert_int_equal(stage->conditions[0].stage, 1);
	assert_int_equal(stage->conditions[0].what, MX_CONDITION_SCORE);
	assert_int_equal(stage->conditions[0].op, MX_CONDITION_GE);
	assert_true(stage->conditions[0].value == 0.5);
	assert_int_equal(stage->conditions[1].op, MX_CONDITION_LT);
	assert_true(stage->conditions[1].value == 0.9);
	assert_int_equal(stage->conditions[2].stage, 0);
	assert_int_equal(stage->conditions[2].what, MX_CONDITION_LABEL);
	assert_int_equal(stage->conditions[2].op, MX_CONDITION_EQ);
	assert_string_equal(stage->conditions[2].label, "person");
	assert_int_equal(stage->conditions[3].what, MX_CONDITION_VALUE);
	assert_int_equal(stage->conditions[3].output, 1);
	assert_int_equal(stage->conditions[3].op, MX_CONDITION_NE);
	assert_true(stage->conditions[3].value == -3);
}

static void every_key_is_read_and_parents_come_first(void **state)
{
	struct scratch_dir *dir = *state;
	const struct mx_pipeline_stage *face, *each;
	struct mx_pipeline pipeline;
	struct mx_err err;
	char want[256];

	if (read_text(dir, whole, &pipeline, &err))
		fail_msg("%s", err.text);
	assert_int_equal(pipeline.network_count, 2);
	(void)snprintf(want, sizeof(want), "%s/face.mx", dir->path);
	assert_string_equal(pipeline.networks[0].path, want);
	assert_string_equal(pipeline.networks[1].path, "/nets/age.mx");
	assert_int_equal(pipeline.stage_count, 3);
	face = &pipeline.stages[0];
	assert_string_equal(face->name, "face");
	/* A stage is of the network of its name. */
	assert_int_equal(face->network, 0);
	assert_true(face->detects);
	assert_int_equal(face->detect.format, MX_DETECT_CENTER);
	assert_int_equal(face->detect.scores, 2);
	assert_int_equal(face->detect.boxes, 3);
	assert_true(face->detect.threshold == 0.7f);
	assert_true(face->detect.overlap == 0.3f);
	assert_int_equal(face->detect.most, 5);
	assert_int_equal(face->detect.background, MX_BACKGROUND_NONE);
	assert_true(face->detect.in_pixels);
	assert_int_equal(face->only_count, 1);
	assert_string_equal(face->only[0], "person");
	assert_true(face->chance < 0);
	each = &pipeline.stages[1];
	assert_string_equal(each->name, "of-each");
	assert_int_equal(each->network, 1);
	assert_int_equal(each->each, 0);
	assert_int_equal(each->after_count, 1);
	assert_true(each->grow == 1.5);
	assert_int_equal(each->at_once, 3);
	assert_int_equal(each->output, 1);
	assert_true(each->softmax);
	assert_int_equal(each->label_count, 2);
	assert_string_equal(each->labels[1], "old");
	assert_false(each->opportunistic);
	expect_tell(&pipeline.stages[2]);
	mx_pipeline_fini(&pipeline);
}

static void networks_are_found_where_it_is_said(void **state)
{
	struct mx_pipeline pipeline;

	scratch_dir_put(*state, "p.yaml", whole, strlen(whole));
	assert_int_equal(mx_pipeline_read(&pipeline,
					  ((struct scratch_dir *)*state)->file,
					  "elsewhere", NULL),
			 0);
	assert_string_equal(pipeline.networks[0].path, "elsewhere/face.mx");
	assert_string_equal(pipeline.networks[1].path, "/nets/age.mx");
	mx_pipeline_fini(&pipeline);
}

static void what_is_not_said_is_as_documented(void **state)
{
	static const char text[] =
		"networks: {f: f.mx}\n"
		"stages:\n"
		"  - {name: f, detect: {format: corners}}\n"
		"  - {name: g, network: f, each: f}\n"
		"  - {name: h, network: f, detect: {format: yolox}}\n";
	const struct mx_pipeline_stage *stages;
	struct mx_pipeline pipeline;

	assert_int_equal(read_text(*state, text, &pipeline, NULL), 0);
	stages = pipeline.stages;
	assert_int_equal(stages[0].detect.format, MX_DETECT_CORNERS);
	assert_int_equal(stages[0].detect.scores, 0);
	assert_int_equal(stages[0].detect.boxes, 1);
	assert_true(stages[0].detect.threshold == 0.5f);
	assert_true(stages[0].detect.overlap == 0.5f);
	assert_int_equal(stages[0].detect.most, 100);
	assert_int_equal(stages[0].detect.background, 0);
	assert_true(stages[1].grow == 1);
	assert_int_equal(stages[1].at_once, 2);
	assert_false(stages[1].detects);
	/* All rows' classes are things. */
	assert_int_equal(stages[2].detect.background, MX_BACKGROUND_NONE);
	assert_int_equal(stages[2].detect.scores, 0);
	assert_int_equal(stages[2].detect.boxes, 0);
	mx_pipeline_fini(&pipeline);
}

#define NETS "networks: {a: a.mx, b: b.mx}\n"
#define FIRST NETS "stages:\n- {name: a, detect: {scores: 0}}\n"

static const struct {
	const char *text;
	const char *why; /* after "FILE:" */
} mistakes[] = {
	{"", "0: a pipeline must be a mapping with keys of: networks, "
	     "stages"},
	{"networks: {a: a.mx}\nstage: []\n",
	 "2: a pipeline has no key stage; there are networks, stages"},
	{"stages: []\n", "1: networks must be {NAME: DIRECTORY, ...}"},
	{"networks: {a: [b]}\nstages: []\n",
	 "1: network a must be the path of a model directory"},
	{NETS "stages: []\n", "2: stages must be a list of 1 to 256"},
	{NETS "stages: [a]\n", "2: a stage must have a name of letters, "
			       "digits, - and _"},
	{NETS "stages: [{name: a/b}]\n",
	 "2: a stage must have a name of letters, digits, - and _"},
	{FIRST "- name: a\n", "4: there is a stage a already (line 3)"},
	{NETS "stages: [{name: c}]\n",
	 "2: there is no network c; there are a, b"},
	{FIRST "- name: b\n  network: c\n",
	 "5: there is no network c; there are a, b"},
	{FIRST "- name: b\n  colour: red\n",
	 "5: a stage has no key colour; there are name, network, "
	 "after, "
	 "each, when, mode, grow, at-once, chance, detect, answer, "
	 "labels"},
	{FIRST "- name: b\n  after: c\n",
	 "5: there is no stage c; there are a, b"},
	{FIRST "- name: b\n  after: {}\n",
	 "5: after must be a stage or a list of stages"},
	{FIRST "- name: b\n  each: c\n",
	 "5: there is no stage c; there are a, b"},
	{NETS "stages:\n- name: a\n- {name: b, each: a}\n",
	 "4: stage b is for each of a, which has no detect"},
	{FIRST "- name: b\n  grow: 2\n", "5: grow is for a stage with each"},
	{FIRST "- name: b\n  at-once: 2\n",
	 "5: at-once is for a stage with each"},
	{FIRST "- name: b\n  each: a\n  grow: -1\n",
	 "6: grow must be a number from 0 to 100"},
	{FIRST "- name: b\n  each: a\n  at-once: 0\n",
	 "6: at-once must be a number from 1 to 64"},
	{FIRST "- name: b\n  mode: later\n",
	 "5: mode must be one of wait, opportunistic"},
	{FIRST "- name: b\n  chance: 1.5\n",
	 "5: chance must be a number from 0 to 1"},
	{FIRST "- name: b\n  when: a.count\n",
	 "5: when must be conditions: {STAGE.count: {gt: 0}}"},
	{FIRST "- name: b\n  when: {c.count: 1}\n",
	 "5: there is no stage c; there are a, b"},
	{FIRST "- name: b\n  when: {a.size: 1}\n",
	 "5: when: a.size is none of STAGE.count, STAGE.class, "
	 "STAGE.label, STAGE.score, STAGE.output_K"},
	{FIRST "- name: b\n  when: {a: 1}\n",
	 "5: when: a is none of STAGE.count, STAGE.class, STAGE.label, "
	 "STAGE.score, STAGE.output_K"},
	{FIRST "- name: b\n  when: {a.count: [1]}\n",
	 "5: when: a.count must be a value or {OP: VALUE}"},
	{FIRST "- name: b\n  when: {a.count: {over: 1}}\n",
	 "5: when: a.count: over is none of gt, ge, lt, le, eq, ne"},
	{FIRST "- name: b\n  when: {a.count: {gt: many}}\n",
	 "5: when: a.count: gt wants a number"},
	{FIRST "- name: b\n  when: {a.label: {gt: b}}\n",
	 "5: when: a.label: a label can be eq or ne to a text"},
	{FIRST "- name: b\n  detect: {format: circles}\n",
	 "5: format must be one of corners, center, rows, yolox"},
	{FIRST "- name: b\n  detect: {format: rows, boxes: 1}\n",
	 "5: detect has no key boxes; there are format, output, "
	 "threshold, nms, most, pixels, only"},
	{FIRST "- name: b\n  detect: {threshold: 2}\n",
	 "5: threshold must be a number from 0 to 1"},
	{FIRST "- name: b\n  detect: {scores: -1}\n",
	 "5: scores must be a number from 0 to 1000000"},
	{FIRST "- name: b\n  detect: {pixels: perhaps}\n",
	 "5: pixels must be one of false, true"},
	{FIRST "- name: b\n  detect: {only: []}\n", "5: only must be a list"},
	{FIRST "- name: b\n  detect: {most: 0}\n",
	 "5: most must be a number from 1 to 1000"},
	{FIRST "- name: b\n  labels: [[1]]\n",
	 "5: labels must be a list of texts"},
	{FIRST "- name: b\n  detect: {scores: 0}\n  answer: {output: "
	       "1}\n",
	 "6: a stage detects or has an answer, not both"},
	{NETS "stages:\n- {name: a, after: a}\n",
	 "3: stages come after each other in a circle: a, a"},
	{NETS "stages:\n- name: a\n- {name: c, network: a, after: d}\n"
	      "- {name: b, after: [a, d]}\n"
	      "- {name: d, network: a, after: [a, e]}\n"
	      "- {name: e, network: a, when: {b.count: 1}}\n",
	 "7: stages come after each other in a circle: e, b, d, e"},
};

static void mistakes_are_told_with_their_line_and_what_there_is(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_pipeline pipeline;
	struct mx_err err;
	char want[1024];
	size_t i;

	for (i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		assert_int_equal(
			read_text(dir, mistakes[i].text, &pipeline, &err),
			-EBADMSG);
		(void)snprintf(want, sizeof(want), "%s:%s", dir->file,
			       mistakes[i].why);
		assert_string_equal(err.text, want);
	}
}

static void a_file_that_is_not_there_is_an_error(void **state)
{
	struct mx_pipeline pipeline;

	assert_int_equal(mx_pipeline_read(&pipeline,
					  scratch_dir_path(*state, "none"),
					  NULL, NULL),
			 -ENOENT);
}

static void running_out_of_memory_is_an_error(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_pipeline pipeline;
	int rc, fired = 1;
	long nth;

	scratch_dir_put(dir, "p.yaml", whole, strlen(whole));
	for (nth = 0; fired; nth++) {
		faults_arm(nth);
		rc = mx_pipeline_read(&pipeline, dir->file, NULL, NULL);
		fired = faults_disarm();
		assert_int_equal(rc, fired ? -ENOMEM : 0);
	}
	mx_pipeline_fini(&pipeline);
	assert_true(nth > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_read_and_parents_come_first),
		cmocka_unit_test(networks_are_found_where_it_is_said),
		cmocka_unit_test(what_is_not_said_is_as_documented),
		cmocka_unit_test(
			mistakes_are_told_with_their_line_and_what_there_is),
		cmocka_unit_test(a_file_that_is_not_there_is_an_error),
		cmocka_unit_test(running_out_of_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, scratch_dir_setup,
				      scratch_dir_teardown);
}
