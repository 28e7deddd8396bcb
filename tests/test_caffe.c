/*
 * Whole nets: inputs, order, names, outputs, what is dropped and refused.
 */
#include "tests/caffe_fixture.h"

#define RELU(name, bottom, top)                                                \
	"layer { name: '" name "' type: 'ReLU' bottom: '" bottom               \
	"' top: '" top "' }\n"
#define INPUT(name, dims) "input: '" name "' input_shape { dim: [" dims "] }\n"

/* What mx_graph_text() says of @net under @opts. */
static void expect_graph(const char *net, const struct mx_import_opts *opts,
			 const char *want)
{
	struct import import;
	char *text;

	if (import_net(&import, net, NULL, opts))
		fail_msg("%s\n%s", import.err.text, import.log);
	text = mx_graph_text(import.graph);
	assert_non_null(text);
	assert_string_equal(text, want);
	free(text);
	import_end(&import);
}

static void expect_error(const char *net, const struct mx_import_opts *opts,
			 int rc, const char *message)
{
	struct import import;

	assert_int_equal(import_net(&import, net, NULL, opts), rc);
	assert_string_equal(import.err.text, message);
	import_end(&import);
}

static const struct mx_import_opts plain;

static void layers_in_place_make_new_values(void **state)
{
	(void)state;
	expect_graph(INPUT("x", "1,2") RELU("a", "x", "b") RELU("c", "b", "b")
			     RELU("d", "b", "e"),
		     &plain,
		     "input x 1x2\na Relu(x) -> b 1x2\nc Relu(b) -> b 1x2\n"
		     "d Relu(b) -> e 1x2\noutput e\n");
}

static void outputs_are_the_unconsumed_blobs_in_order(void **state)
{
	(void)state;
	/* z is unused, an input; b is made again after c. */
	expect_graph(INPUT("x", "1,2") INPUT("z", "1,2") RELU("b", "x", "b")
			     RELU("c", "x", "c") RELU("b2", "b", "b"),
		     &plain,
		     "input x 1x2\ninput z 1x2\nb Relu(x) -> b 1x2\n"
		     "c Relu(x) -> c 1x2\nb2 Relu(b) -> b 1x2\n"
		     "output c\noutput b\n");
}

static void outputs_can_be_blobs_or_layers(void **state)
{
	static const char net[] = INPUT("x", "1,2") RELU(
		"a", "x",
		"b") "layer { name: 'p' type: 'Power' bottom: 'b' top: 'b' "
		     "}\n" RELU("c", "b", "d");
	const char *names[] = {"d", "a", "b"};
	struct mx_import_opts opts = {.outputs = names, .output_count = 3};
	struct import import;

	(void)state;
	assert_int_equal(import_net(&import, net, NULL, &opts), 0);
	assert_int_equal(import.graph->output_count, 3);
	assert_int_equal(import.graph->outputs[0],
			 import.graph->nodes[2].layer.out[0]);
	assert_int_equal(import.graph->outputs[1],
			 import.graph->nodes[0].layer.out[0]);
	assert_int_equal(import.graph->outputs[2],
			 import.graph->nodes[1].layer.out[0]);
	import_end(&import);
	names[1] = "nobody";
	expect_error(net, &opts, -EINVAL,
		     "NET has no blob or layer \"nobody\" to output");
}

static void names_without_work_leave_no_node(void **state)
{
	(void)state;
	expect_graph(
		INPUT("x", "1,2") RELU(
			"a", "x",
			"a") "layer { type: 'Dropout' bottom: 'a' top: 'd' }\n"
			     "layer { type: 'Split' bottom: 'd' top: 's' top: "
			     "'t' }\n"
			     "layer { type: 'Silence' bottom: 's' }\n" RELU(
				     "b", "t", "b"),
		&plain,
		"input x 1x2\na Relu(x) -> a 1x2\nb Relu(a) -> b 1x2\n"
		"output b\n");
	/* An input that comes out again needs one. */
	expect_graph(
		INPUT("x",
		      "1,2") "layer { type: 'Dropout' bottom: 'x' top: 'd' }",
		&plain, "input x 1x2\nd Identity(x) -> d 1x2\noutput d\n");
}

static void training_layers_are_dropped(void **state)
{
	(void)state;
	expect_graph(
		"layer { name: 'data' type: 'MemoryData' top: 'x' top: 'label' "
		"memory_data_param { batch_size: 4 channels: 3 height: 5 "
		"width: 6 } transform_param { mirror: true } }\n" RELU(
			"a", "x", "y") "layer { type: 'SoftmaxWithLoss' "
				       "bottom: 'y' bottom: 'label' "
				       "top: 'loss' }\n"
				       "layer { type: 'Accuracy' bottom: 'y' "
				       "bottom: 'label' "
				       "top: 'accuracy' }\n"
				       "layer { type: 'Sigmoid' bottom: 'none' "
				       "top: 'n' include { "
				       "phase: TRAIN } }\n",
		&plain, "input x 1x3x5x6\na Relu(x) -> y 1x3x5x6\noutput y\n");
	expect_error(
		"layer { name: 'data' type: 'MemoryData' top: 'x' "
		"top: 'label' memory_data_param { batch_size: 1 "
		"channels: 3 height: 5 width: 6 } }\n" RELU("a", "label", "y"),
		&plain, -EBADMSG,
		"NET:2:7: layer \"a\" needs what only training has");
}

static void data_layers_have_shapes_or_get_them(void **state)
{
	static const char image[] =
		"layers { name: 'd' type: IMAGE_DATA top: 'x' "
		"image_data_param { batch_size: 2 new_height: 9 new_width: 8 } "
		"transform_param { crop_size: 7 } }\n"
		"layers { name: 'a' type: RELU bottom: 'x' top: 'y' }";
	static const char data[] =
		"layer { name: 'd' type: 'Data' top: 'x' top: 'l' data_param { "
		"source: 's' batch_size: 2 } }\n" RELU("a", "x", "y");
	const struct mx_import_shape shape = {
		.name = "d", .shape = {.rank = 4, .dim = {1, 3, 2, 2}}};
	const struct mx_import_opts opts = {.shapes = &shape, .shape_count = 1};

	(void)state;
	expect_graph(image, &plain,
		     "input x 1x3x7x7\na Relu(x) -> y 1x3x7x7\noutput y\n");
	expect_graph(data, &opts,
		     "input x 1x3x2x2\na Relu(x) -> y 1x3x2x2\noutput y\n");
	expect_error(data, &plain, -EINVAL,
		     "NET:1:7: input \"x\" has no shape: give it with "
		     "--input-shape");
}

static void shapes_and_batch_follow_the_options(void **state)
{
	static const char net[] = INPUT("x", "8,3,4,4") INPUT("s", "8,2")
		INPUT("r", "5,2") RELU("a", "x", "y");
	struct mx_import_shape shapes[] = {
		{.name = NULL, .shape = {.rank = 4, .dim = {6, 3, 2, 2}}},
		{.name = "s", .shape = {.rank = 2, .dim = {6, 9}}},
	};
	struct mx_import_opts opts = {0};

	(void)state;
	expect_graph(net, &opts,
		     "input x 1x3x4x4\ninput s 1x2\ninput r 5x2\n"
		     "a Relu(x) -> y 1x3x4x4\noutput y\n");
	opts.keep_batch = 1;
	expect_graph(net, &opts,
		     "input x 8x3x4x4\ninput s 8x2\ninput r 5x2\n"
		     "a Relu(x) -> y 8x3x4x4\noutput y\n");
	opts.shapes = shapes;
	opts.shape_count = 2;
	expect_graph(net, &opts,
		     "input x 6x3x2x2\ninput s 6x9\ninput r 5x2\n"
		     "a Relu(x) -> y 6x3x2x2\noutput y\n");
	opts.keep_batch = 0;
	expect_graph(net, &opts,
		     "input x 1x3x2x2\ninput s 1x9\ninput r 5x2\n"
		     "a Relu(x) -> y 1x3x2x2\noutput y\n");
	shapes[1].name = "nobody";
	expect_error(net, &opts, -EINVAL,
		     "NET has no input \"nobody\" to give a shape");
}

#define RESHAPE(dims)                                                          \
	INPUT("x", "10,3,4")                                                   \
	"layer { name: 'r' type: 'Reshape' bottom: 'x' "                       \
	"top: 'y' reshape_param { shape { dim: [" dims "] } } }"

static void a_baked_batch_is_rewritten_or_refused(void **state)
{
	const struct mx_import_opts keep = {.keep_batch = 1};

	(void)state;
	expect_graph(RESHAPE("10, 12"), &plain,
		     "input x 1x3x4\nr Reshape(x) -> y 1x12\noutput y\n");
	expect_graph(RESHAPE("10, 12"), &keep,
		     "input x 10x3x4\nr Reshape(x) -> y 10x12\noutput y\n");
	expect_graph(RESHAPE("-1, 6"), &plain,
		     "input x 1x3x4\nr Reshape(x) -> y 2x6\noutput y\n");
	expect_error(RESHAPE("5, 24"), &plain, -ENOTSUP,
		     "NET: not supported: Reshape: a shape for a batch of 10");
}

static void every_unsupported_layer_is_logged(void **state)
{
	struct import import;

	(void)state;
	/* b and c depend on what is unknown: they are not complained about. */
	assert_int_equal(
		import_net(
			&import,
			INPUT("x",
			      "1,2") "layer { name: 'a' type: 'Foo' bottom: "
				     "'x' top: 'a' "
				     "}\n" RELU("b", "a", "b") RELU(
					     "c", "b",
					     "b") "layer { name: 'd' type: "
						  "'Bar' bottom: 'b' top: 'd' "
						  "}\n"
						  "layer { name: 'e' type: "
						  "'Foo' bottom: 'x' top: 'e' "
						  "}\n",
			NULL, &plain),
		-ENOTSUP);
	assert_string_equal(import.err.text, "NET: not supported: Foo, Bar");
	assert_string_equal(import.log, "NET: not supported: Foo, in a, e\n"
					"NET: not supported: Bar, in d\n");
	import_end(&import);
}

static void cycles_and_clashes_are_refused_with_their_place(void **state)
{
	(void)state;
	expect_error(INPUT("x", "1,2") RELU("a", "b", "a") RELU("b", "a", "b"),
		     &plain, -EBADMSG,
		     "NET:2:40: no layer before makes the blob \"b\"");
	expect_error(INPUT("x", "1,2") RELU("a", "x", "y") RELU("b", "x", "y"),
		     &plain, -EBADMSG,
		     "NET:3:49: another layer makes the blob too: \"y\"");
	expect_error(INPUT("x", "1,2") INPUT("x", "1,2"), &plain, -EBADMSG,
		     "NET has no layers");
	expect_error(INPUT("x", "1,2") INPUT("x", "1,2") RELU("a", "x", "y"),
		     &plain, -EBADMSG, "NET:2:8: two inputs are called \"x\"");
	expect_error("# nothing", &plain, -EBADMSG, "NET has no layers");
	expect_error(INPUT("x", "1,2") "layer { type: 'Silence' bottom: 'x' }",
		     &plain, -EBADMSG, "NET: no layer computes an output");
	expect_error("layer {", &plain, -EBADMSG,
		     "NET:1:8: expected a field name or \"}\", not the end");
	expect_error(INPUT("x", "1,2") "layer { type: 'ReLU' relu_param: 3 "
				       "bottom: 'x' top: 'y' }",
		     &plain, -EBADMSG,
		     "NET:2:34: relu_param: expected a message");
}

static void the_two_files_are_not_confused(void **state)
{
	struct mx_import_opts opts = {0};
	struct mx_import_source *source = NULL;
	struct mx_graph *graph = NULL;
	char path[TEMP_PATH_BYTES];
	static struct wire net;
	struct mx_err err;

	(void)state;
	put_layer(&net, "a", "T", NULL, 0);
	put_int(&net, 9, 0);
	temp_file_of(path, net.bytes, net.size);
	opts.source = path;
	assert_int_equal(mx_caffe_graph(&opts, &graph, &source, &err),
			 -EBADMSG);
	assert_non_null(strstr(err.text, "is no prototxt: if it is a "
					 "caffemodel, name its deploy.prototxt "
					 "before it"));
	mx_import_source_close(source);
	unlink(path);

	source = NULL;
	temp_file_of(path, RELU("a", "x", "y"), strlen(RELU("a", "x", "y")));
	opts.source = path;
	assert_int_equal(mx_caffe_graph(&opts, &graph, &source, &err), -EINVAL);
	assert_non_null(strstr(err.text, "its caffemodel is missing"));
	mx_import_source_close(source);
	unlink(path);
}

/* Quadratic time would take minutes here. */
static void a_hundred_thousand_layers_take_linear_time(void **state)
{
	enum { LAYERS = 100000 };
	struct import import;
	char *net = malloc((size_t)LAYERS * 80 + 100);
	size_t at;
	int i;

	(void)state;
	assert_non_null(net);
	at = (size_t)sprintf(net, INPUT("b0", "1,2"));
	for (i = 0; i < LAYERS; i++)
		at += (size_t)sprintf(net + at,
				      "layer { name: 'l%d' type: 'ReLU' "
				      "bottom: 'b%d' top: 'b%d' }\n",
				      i, i, i + 1);
	assert_int_equal(import_net(&import, net, NULL, &plain), 0);
	assert_int_equal(import.graph->node_count, LAYERS);
	assert_int_equal(import.graph->output_count, 1);
	assert_string_equal(import.graph->values[import.graph->outputs[0]].name,
			    "b100000");
	import_end(&import);
	free(net);
}

/* All of the nets that are there import with random weights. */
static void known_nets_import(void **state)
{
	static const char *const nets[] = {
		"nets/AgeNet/age_deploy.prototxt",
		"nets/FaceNet/face_full_conv.prototxt",
		"nets/ObjectNet/VGG_ILSVRC_19_layers_deploy.prototxt",
		"nets/TinyYolo/tiny_yolo_deploy.prototxt",
		"nets/common/bvlc/bvlc_googlenet/deploy.prototxt",
		"nets/common/caffejs/ResNet/ResNet-50-deploy.prototxt",
		"nets/common/mobilenet_shicai/mobilenet_v2_deploy.prototxt",
		"nets/common/squeezenet/SqueezeNet_v1.1_deploy.prototxt",
		"nets/common/vgg/VGG_ILSVRC_16_layers_deploy.prototxt",
		"models/opencv_layers/testdata/dnn/ssd_vgg16.prototxt",
		"models/opencv_layers/testdata/dnn/fcn8s-heavy-pascal.prototxt",
	};
	const char *shared = getenv("MEMEXEC_SHARED");
	struct mx_import_opts opts = {.random_weights = 1};
	char path[512];
	size_t i;

	(void)state;
	if (!shared)
		shared = "../shared";
	if (access(shared, R_OK) != 0) {
		print_message("no folder of nets at %s\n", shared);
		skip();
	}
	for (i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		struct mx_import_source *source = NULL;
		struct mx_graph *graph = NULL;
		struct mx_err err;

		(void)snprintf(path, sizeof(path), "%s/%s", shared, nets[i]);
		opts.source = path;
		if (mx_caffe_graph(&opts, &graph, &source, &err))
			fail_msg("%s", err.text);
		assert_int_equal(graph->output_count, 1);
		mx_graph_free(graph);
		mx_import_source_close(source);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_in_place_make_new_values),
		cmocka_unit_test(outputs_are_the_unconsumed_blobs_in_order),
		cmocka_unit_test(outputs_can_be_blobs_or_layers),
		cmocka_unit_test(names_without_work_leave_no_node),
		cmocka_unit_test(training_layers_are_dropped),
		cmocka_unit_test(data_layers_have_shapes_or_get_them),
		cmocka_unit_test(shapes_and_batch_follow_the_options),
		cmocka_unit_test(a_baked_batch_is_rewritten_or_refused),
		cmocka_unit_test(every_unsupported_layer_is_logged),
		cmocka_unit_test(
			cycles_and_clashes_are_refused_with_their_place),
		cmocka_unit_test(the_two_files_are_not_confused),
		cmocka_unit_test(a_hundred_thousand_layers_take_linear_time),
		cmocka_unit_test(known_nets_import),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
